"""What an experiment may say to the tool on a device."""

from typing import Annotated

from pydantic import Field

# `benchmark_model` parses nothing else, and ignores what it does not know.
FLAG_PATTERN = r"^--[a-z][a-z0-9_-]*=[^\s]*$"
Flag = Annotated[str, Field(pattern=FLAG_PATTERN)]
# What the protocol itself sets; a second value would make the settings lie.
OWN_FLAGS = (
    *("graph", "num_threads", "num_runs", "min_secs", "max_secs", "warmup_runs", "warmup_min_secs"),
    *("use_xnnpack", "use_gpu", "use_nnapi", "use_hexagon", "use_cpu", "use_npu", "hexagon_lib_path"),
    *("input_layer", "input_layer_shape", "input_layer_value_files", "output_filepath", "enable_op_profiling"),
    *("op_profiling_output_mode", "op_profiling_output_file", "dry_run", "require_full_delegation"),
    *("result_file_path", "model_runtime_info_output_file", "dispatch_library_path", "compiler_plugin_library_path"),
    *("compiler_cache_path", "report_peak_memory_footprint", "benchmark_name"),
)
# Numbers as in the kernel's lists, or all cores of the highest or the lowest clock.
CORES_PATTERN = r"^(big|little|\d{1,3}(-\d{1,3})?(,\d{1,3}(-\d{1,3})?){0,15})$"
Cores = Annotated[str, Field(pattern=CORES_PATTERN)]
