"""A made-up world in the format of the CareerBuilder challenge: n people, n jobs, n applications, n past jobs."""

from pathlib import Path

USERS = (
    "UserID\tWindowID\tSplit\tCity\tState\tCountry\tZipCode\tDegreeType\tMajor\tGraduationDate\tWorkHistoryCount\t"
    "TotalYearsExperience\tCurrentlyEmployed\tManagedOthers\tManagedHowMany"
)
JOBS = "JobID\tWindowID\tTitle\tDescription\tRequirements\tCity\tState\tCountry\tZip5\tStartDate\tEndDate"
APPS = "UserID\tWindowID\tSplit\tApplicationDate\tJobID"
HISTORY = "UserID\tWindowID\tSplit\tSequence\tJobTitle"
WINDOWS = "Window\tTrain Start\tTrain End / Test Start\tTest End"


def world(n: int) -> dict[str, list[str]]:
    """File name -> its lines, header first; person i applied once, to job i."""
    return {
        "users.tsv": [
            USERS,
            *(
                f"{i}\t1\tTrain\tOak Park\tIL\tUS\t0{i % 10000:04}\tNone\tNot Applicable\t1999-06-01 00:00:00\t"
                "1\t10.0\tYes\tNo\t0"
                for i in range(1, n + 1)
            ),
        ],
        "jobs.tsv": [
            JOBS,
            *(
                f"{i}\t1\tBaker\t<p>Bread</p>\r<p>and&nbsp;cake</p>\tPlease refer to the Job Description to view the "
                f"requirements for this job\tErie\tPA\tUS\t01234\t2012-03-07 13:17:01.643\t2012-04-06 23:59:59"
                for i in range(1, n + 1)
            ),
        ],
        "apps.tsv": [APPS, *(f"{i}\t1\tTrain\t2012-04-04 15:56:23.537\t{i}" for i in range(1, n + 1))],
        "user_history.tsv": [HISTORY, *(f"{i}\t1\tTrain\t1\tCook, night" for i in range(1, n + 1))],
        "window_dates.tsv": [WINDOWS, "1\t2012-04-01 00:00:00\t2012-04-10 00:00:00\t2012-04-14 00:00:00"],
        "test_users.tsv": ["UserID\tWindowID"],
    }


def write(folder: Path, files: dict[str, list[str]]) -> Path:
    """Write the lines of each file."""
    for name, lines in files.items():
        (folder / name).write_bytes("".join(f"{line}\n" for line in lines).encode())
    return folder
