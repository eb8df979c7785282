"""SVD++ as a rating model on all-ones data: the public experiment's other row."""

from typing import ClassVar

from metier.models.svd_naive import NaiveSVD


class NaiveSVDpp(NaiveSVD):
    """SVD++ (Koren 2008, equation 15) on ratings that are all 1.

    The set N(u) stands beside the ratings, it does not replace them: without a rating other than 1 there is still
    nothing to explain. `svdpp` trains the same score against jobs that were not applied to.
    """

    note: ClassVar[str] = "naive: rating model on all-ones data"
    implicit: ClassVar[bool] = True
