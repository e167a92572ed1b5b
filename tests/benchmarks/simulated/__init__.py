"""The measuring protocol on a simulated target whose true ratios are known; see docs/benchmarks.md."""
