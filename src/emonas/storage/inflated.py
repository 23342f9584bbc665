"""`inflated.h5` of `results/train/...`: what is predicted for the test part after training under
habits that inflate scores, a part of the file a habit, in the form of `predictions.h5`.
"""

BEST_EPOCH = "best epoch on test"
SCALED = "scaler over all data"
TRAINED_HABITS = (BEST_EPOCH, SCALED)
"""Those under which a system is trained again."""

BEST_SEED = "best seed"
POOLED = "pooled instead of mean of folds"
RANDOM_SPLIT = "random split instead of speakers"
