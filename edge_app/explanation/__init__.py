"""Why a model reads what it reads: the ink that speaks for a digit and against it."""
