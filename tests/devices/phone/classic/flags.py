"""Flags of the classic tool: names, types, defaults, and the texts under which it logs them.

Names, types and log texts are facts of the tool (its --help and its output with --verbose=true).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.devices.phone.classic.numbers import g

Value = bool | int | float | str
# Spellings that the tool's parser takes for a bool.
BOOLS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Flag:
    """A flag; `label` is what it is called in the log, empty where it never shows."""

    name: str
    default: Value
    label: str = ""


# In the order in which the tool logs them.
FLAGS = (
    Flag("num_runs", 50, "Min num runs"),
    Flag("min_secs", 1.0, "Min runs duration (seconds)"),
    Flag("max_secs", 150.0, "Max runs duration (seconds)"),
    Flag("run_delay", -1.0, "Inter-run delay (seconds)"),
    Flag("run_frequency", -1.0, "Number of prorated runs per second"),
    Flag("num_threads", -1, "Num threads"),
    Flag("use_caching", False, "Use caching"),
    Flag("benchmark_name", "", "Benchmark name"),
    Flag("output_prefix", "", "Output prefix"),
    Flag("warmup_runs", 1, "Min warmup runs"),
    Flag("warmup_min_secs", 0.5, "Min warmup runs duration (seconds)"),
    Flag("dry_run", False, "Run w/o invoking kernels"),
    Flag("report_peak_memory_footprint", False, "Report the peak memory footprint"),
    Flag("memory_footprint_check_interval_ms", 50, "Memory footprint check interval (ms)"),
    Flag("graph", "", "Graph"),
    Flag("signature_to_run_for", "", "Signature to run"),
    Flag("list_signatures", False, "List signatures from the provided model"),
    Flag("input_layer", "", "Input layers"),
    Flag("input_layer_shape", "", "Input shapes"),
    Flag("input_layer_value_range", "", "Input value ranges"),
    Flag("input_layer_value_files", "", "Input value files"),
    Flag("allow_fp16", False, "Allow fp16"),
    Flag("require_full_delegation", False, "Require full delegation"),
    Flag("enable_op_profiling", False, "Enable op profiling"),
    Flag("op_profiling_output_mode", "stdout", "Op profiling output mode."),
    Flag("op_profiling_output_file", "", "Op profiling output file."),
    Flag("max_profiling_buffer_entries", 1024, "Max initial profiling buffer entries"),
    Flag("allow_dynamic_profiling_buffer_increase", False, "Allow dynamic increase on profiling buffer entries"),
    Flag("profiling_output_csv_file", "", "CSV File to export profiling data to"),
    Flag("export_model_runtime_info", False, "Enable Model Runtime Info Export"),
    Flag("model_runtime_info_output_file", "", "Proto File to export model runtime info to"),
    Flag("print_preinvoke_state", False, "Print pre-invoke interpreter state"),
    Flag("print_postinvoke_state", False, "Print post-invoke interpreter state"),
    Flag("release_dynamic_tensors", False, "Release dynamic tensor memory"),
    Flag("optimize_memory_for_large_tensors", 0, "Optimize memory usage for large tensors"),
    Flag("disable_delegate_clustering", False, "Disable delegate clustering"),
    Flag("enable_builtin_cast_constant_cache", False, "Constant CAST output cache"),
    Flag("output_filepath", "", "File path to export outputs layer to"),
    Flag("output_proto_filepath", "", "File path to export outputs layer as tf example to"),
    Flag("result_file_path", "", "File path to save the benchmark result in binary proto format"),
    Flag("tensor_name_display_length", 25, "Tensor name display length"),
    Flag("tensor_type_display_length", 15, "Tensor type display length"),
    Flag("alloc_type_display_length", 18, "Tensor allocation type display length"),
    Flag("help", False, "print out all supported flags"),
    Flag("num_threads", -1, "#threads used for CPU inference"),
    Flag("max_delegated_partitions", 0, "Max number of delegated partitions"),
    Flag("min_nodes_per_partition", 0, "Min nodes per partition"),
    Flag("first_delegate_node_index", 0, "Index of the first node that could be delegated"),
    Flag("last_delegate_node_index", 2147483647, "Index of the last node that could be delegated"),
    Flag("gpu_invoke_loop_times", 1, "Number of GPU delegate invoke loop iterations"),
    Flag("delegate_serialize_dir", "", "Directory for delegate serialization"),
    Flag("delegate_serialize_token", "", "Model-specific token/key for delegate serialization."),
    Flag("use_gpu", False, "Use gpu"),
    Flag("gpu_precision_loss_allowed", True, "Allow lower precision in gpu"),
    Flag("gpu_experimental_enable_quant", True, "Enable running quant models in gpu"),
    Flag("gpu_inference_for_sustained_speed", False, "Prefer maximizing the throughput in gpu"),
    Flag("gpu_backend", "", "GPU backend"),
    Flag("use_hexagon", False, "Use Hexagon"),
    Flag("hexagon_lib_path", "/data/local/tmp", "Hexagon lib path"),
    Flag("hexagon_profiling", False, "Hexagon profiling"),
    Flag("use_nnapi", False, "Use NNAPI"),
    Flag("nnapi_execution_preference", "", "NNAPI execution preference"),
    Flag("nnapi_accelerator_name", "", "NNAPI accelerator name"),
    Flag("disable_nnapi_cpu", True, "Disable NNAPI cpu"),
    Flag("nnapi_allow_fp16", False, "Allow fp16 in NNAPI"),
    Flag("use_xnnpack", False, "Use xnnpack"),
    Flag("xnnpack_force_fp16", False, "xnnpack_force_fp16"),
    Flag("xnnpack_weight_cache_file_path", "", "xnnpack_weight_cache_file_path"),
    Flag("xnnpack_runtime_flags", 0, "Extra flags for XNNPACK runtime"),
    Flag("external_delegate_path", "", "External delegate path"),
    Flag("external_delegate_options", "", "External delegate options"),
    Flag("verbose", False),
)
# Logged even if nobody set them.
ALWAYS_LOGGED = ("graph", "signature_to_run_for")
# Shown only when set, also with --verbose=true.
NEVER_BY_DEFAULT = ("list_signatures",)
# Two of the tool's parts read it, so it complains twice.
READ_TWICE = ("num_threads", "gpu_invoke_loop_times")


@dataclass(frozen=True)
class Flags:
    """A parsed command line. `wrong` holds pairs of a flag and the argument that does not fit it."""

    given: dict[str, Value]
    unconsumed: tuple[str, ...]
    wrong: tuple[tuple[str, str], ...]

    def text(self, name: str) -> str:
        """Value of a text flag."""
        return str(self.given.get(name, _DEFAULTS[name]))

    def number(self, name: str) -> float:
        """Value of a number flag."""
        return float(self.given.get(name, _DEFAULTS[name]))

    def on(self, name: str) -> bool:
        """Value of a bool flag."""
        return bool(self.given.get(name, _DEFAULTS[name]))

    def log(self) -> list[str]:
        """`label: [value]` of every flag that shows: those that were given, or all with --verbose=true."""
        verbose = self.on("verbose")
        lines = [f"Log parameter values verbosely: [{int(verbose)}]"]
        for flag in FLAGS:
            shown = verbose and flag.name not in NEVER_BY_DEFAULT
            if flag.label and (shown or flag.name in self.given or flag.name in ALWAYS_LOGGED):
                lines.append(f"{flag.label}: [{_show(self.given.get(flag.name, flag.default))}]")
        return lines


_DEFAULTS = {flag.name: flag.default for flag in FLAGS}


def parse(argv: Sequence[str]) -> Flags:
    """Take `--name=value` arguments; anything else, also an unknown flag, stays unconsumed."""
    given: dict[str, Value] = {}
    unconsumed: list[str] = []
    wrong: list[tuple[str, str]] = []
    for argument in argv:
        name, equals, text = argument.removeprefix("--").partition("=")
        if argument == "--help":
            given["help"] = True
        elif not argument.startswith("--") or not equals or name not in _DEFAULTS:
            unconsumed.append(argument)
        else:
            value = _convert(_DEFAULTS[name], text)
            if value is None:
                wrong += [(name, argument)] * (2 if name in READ_TWICE else 1)
            else:
                given[name] = value
    return Flags(given, tuple(unconsumed), tuple(wrong))


def usage(program: str) -> str:
    """The list of flags that --help prints, with its columns; the descriptions are this file's labels."""
    width = max(len(_column(flag)) for flag in FLAGS)
    kinds = {bool: "bool", int: "int32", float: "float", str: "string"}
    rows = "".join(
        f"\t{_column(flag):<{width}}\t{kinds[type(flag.default)]}\toptional\t{flag.label.lower()}\n" for flag in FLAGS
    )
    return f"usage: {program} <flags>\nFlags:\n{rows}"


def _column(flag: Flag) -> str:
    shown = str(flag.default).lower() if isinstance(flag.default, bool) else _show(flag.default)
    return f"--{flag.name}={shown}"


def _show(value: Value) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return g(value) if isinstance(value, float) else str(value)


def _convert(default: Value, text: str) -> Value | None:
    if isinstance(default, bool):
        return BOOLS.get(text)
    if isinstance(default, str):
        return text
    try:
        return type(default)(text)
    except ValueError:
        return None
