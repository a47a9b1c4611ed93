"""What can be set when a model is trained."""

from __future__ import annotations

from recipe_kit import Field, TrainParameters


class ModelParameters(TrainParameters):
    """The parameters of `train`; where its data is (`trainingDataLocation`) comes with `TrainParameters`."""

    num_features: int = Field(1000, ge=1, description="Buckets that words are hashed into.")
    max_iter: int = Field(100, ge=1, description="Most iterations of the solver.")
    reg_param: float = Field(0.15, ge=0, description="Strength of the L2 penalty.")
