"""Run `python -m benchmarks.train`."""

from benchmarks.train.measure import main

if __name__ == "__main__":
    main()
