"""The one kind of array there is: NumPy, float64."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
