"""The classic benchmark_model: its flags, its texts, its exit statuses."""
