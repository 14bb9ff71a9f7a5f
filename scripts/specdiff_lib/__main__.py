import sys

if __name__ == "__main__":
    try:
        from specdiff_lib.cli import main
    except ModuleNotFoundError as error:
        # Python itself would leave with 1, which CI reads as "a breaking difference".
        print(f"specdiff: {error} (install the codegen group)", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1:]))
