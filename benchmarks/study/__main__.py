"""Run `python -m benchmarks.study`."""

from benchmarks.study.run import main

if __name__ == "__main__":
    main()
