"""Run `python -m benchmarks.render`."""

from benchmarks.render.measure import main

if __name__ == "__main__":
    main()
