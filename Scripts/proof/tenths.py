"""A tenth of the work: every tenth piece, beginning behind so many. Today's tenth is the day of the year modulo 10."""
import datetime


def add_option(parser, what):
    parser.add_argument(
        "--tenth", choices=["today"] + [str(number) for number in range(10)], help=f"every tenth {what}")


def number(option):
    """Which tenth an option means; None where it is not given. Says which is today's."""
    if option == "today":
        day = datetime.date.today()
        tenth = day.timetuple().tm_yday % 10
        print(f"tenth {tenth}, of day {day.timetuple().tm_yday} of the year ({day})")
        return tenth
    return int(option) if option else None
