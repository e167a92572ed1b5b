"""What can go wrong between a driver and a cluster."""

from common.errors import EdgeproofError, TryLaterError, UsageError


class LostError(EdgeproofError):
    """A node, or the way to it, is gone; what ran there has ended."""


class NoClusterError(TryLaterError):
    """No cluster answers, or it does not let this machine in."""


class NobodyHasError(UsageError):
    """Nothing in the cluster has what is asked for; Ray itself would wait for ever."""


class RefusedError(EdgeproofError):
    """A node would run something else than what is wanted."""

    exit_code = 3
