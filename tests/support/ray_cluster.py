"""A cluster of Ray's of two nodes on this machine."""

# A cluster lives in a process of its own, which removes a node for each line that it reads.
CLUSTER = """
from ray.cluster_utils import Cluster
made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
nodes = [made.add_node(num_cpus=1) for _ in range(2)]
made.wait_for_nodes()
print(made.address, flush=True)
try:
    while nodes:
        if not input():
            break
        made.remove_node(nodes.pop(), allow_graceful=False)
        print("removed", flush=True)
finally:
    made.shutdown()
"""
