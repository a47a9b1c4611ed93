"""The keys that belong to the platform and not to a recipe.

They stand in instances and are injected into runs, whatever the recipe is. No recipe has to declare them, and none of
them is a misspelt parameter.
"""

from __future__ import annotations

PLATFORM_TASKS: tuple[str, ...] = ("train", "score", "featurePipeline", "fp")
"""The task names of the platform; an instance may have them all, whichever the recipe has."""

PLATFORM_KEYS: frozenset[str] = frozenset(
    {
        # Which columns a model takes and gives, as the platform's pages fill them in.
        "ACP_DSW_FEATURE_UPDATE_SUPPORT",
        "ACP_DSW_INPUT_FEATURES",
        "ACP_DSW_SCORING_RESULTS_XDM_SCHEMA",
        "ACP_DSW_TARGET_FEATURES",
        "ACP_DSW_TRAINING_XDM_SCHEMA",
        # How the platform splits training data and measures a model.
        "algorithm",
        "evaluation.labelColumn",
        "evaluation.metrics",
        "evaluation.predictionColumn",
        "evaluation.scalingColumn",
        "evaluation.seed",
        "evaluation.trainRatio",
        # Whose data, and how far back.
        "inputDataSetId",
        "modelId",
        "scoringDataSetId",
        "scoringResultsDataSetId",
        "tenantId",
        "tenant_id",
        "timeframe",
        "trainingDataSetId",
        "transformedDataSetId",
        # Resources of a Spark job, and the storage that older ones use.
        "CONF_blobStoreAccount_KEY",
        "CONF_blobStoreAccount_VALUE",
        "driverCores",
        "driverMemory",
        "executorCores",
        "executorMemory",
        "numExecutors",
        # What the runtime injects.
        "ML_FRAMEWORK_IMS_CLIENT_ID",
        "ML_FRAMEWORK_IMS_ML_TOKEN",
        "ML_FRAMEWORK_IMS_ORG_ID",
        "ML_FRAMEWORK_IMS_TENANT_ID",
        "ML_FRAMEWORK_IMS_TOKEN",
        "ML_FRAMEWORK_IMS_USER_CLIENT_ID",
        "TF_CONFIG",
        "USER_SCRATCH_SPACE_PARAMS",
        "logsPATH",
        "modelPATH",
        "sandboxId",
        "sandboxName",
    }
)
"""The platform's keys that are documented or seen."""

PLATFORM_PREFIXES: tuple[str, ...] = ("ACP_DSW_", "ML_FRAMEWORK_")
"""What further keys of the platform begin with. `evaluation.` is not among them: a recipe's own keys begin so too, and
a misspelt one must be found."""

SECRET_PLATFORM_KEYS: frozenset[str] = frozenset(
    {"CONF_blobStoreAccount_VALUE", "ML_FRAMEWORK_IMS_ML_TOKEN", "ML_FRAMEWORK_IMS_TOKEN"}
)
"""The platform's keys whose values are secret, whether or not they are sent as such."""


def is_platform_key(key: str) -> bool:
    """Return whether a key belongs to the platform."""
    return key in PLATFORM_KEYS or key.startswith(PLATFORM_PREFIXES)
