"""Run `python -m benchmarks.speedrun`."""

from benchmarks.speedrun.measure import main

if __name__ == "__main__":
    main()
