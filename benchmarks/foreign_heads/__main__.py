"""Run `python -m benchmarks.foreign_heads`."""

from benchmarks.foreign_heads.run import main

main()
