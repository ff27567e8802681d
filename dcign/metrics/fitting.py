"""Fit scikit-learn's classifiers as a figure's definition has them, without what they would say to a person."""

import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning

from dcign.arrays import Floating, Int64


def fitted(classifier: Any, inputs: Floating, truth: Int64) -> Any:  # scikit-learn's, which has no types
    """Return the classifier, fitted to (N, Z), (N,)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of iterations is part of a definition
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # 20 bins of few rows
        return classifier.fit(inputs, truth)
