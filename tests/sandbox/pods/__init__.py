"""A kubelet that runs pods as processes: no container engine, the programs themselves (see README.md)."""
