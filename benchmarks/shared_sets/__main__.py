"""Run `python -m benchmarks.shared_sets`."""

from benchmarks.shared_sets.run import main

if __name__ == "__main__":
    main()
