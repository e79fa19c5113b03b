"""Service addresses: rules that lead them, and the addresses of load balancers, to ready endpoints."""

from __future__ import annotations

import subprocess

from api import Object
from network import Addresses


def ready_endpoints(slices: list[Object], port_name: str) -> list[tuple[str, int]]:
    """Where the port of this name is served, of the slices of one Service."""
    found = set()
    for each in slices:
        ports = [port["port"] for port in each.get("ports") or [] if port.get("name", "") == port_name]
        for endpoint in each.get("endpoints") or []:
            if ports and endpoint.get("conditions", {}).get("ready", True):
                found |= {(address, ports[0]) for address in endpoint["addresses"]}
    return sorted(found)


def rules(addresses: Addresses, services: list[Object], slices: list[Object]) -> str:
    """The rules of a whole cluster, to be loaded in place of those before."""
    by_service: dict[tuple[str, str], list[Object]] = {}
    for each in slices:
        meta = each["metadata"]
        owner = meta.get("labels", {}).get("kubernetes.io/service-name", "")
        by_service.setdefault((meta["namespace"], owner), []).append(each)
    lines = []
    for service in sorted(services, key=lambda each: (each["metadata"]["namespace"], each["metadata"]["name"])):
        meta, spec = service["metadata"], service["spec"]
        own = [spec.get("clusterIP", "")] + [
            each.get("ip", "") for each in service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
        ]
        own = [address for address in own if address not in ("", "None")]
        for port in spec.get("ports", []) if own else []:
            ends = ready_endpoints(by_service.get((meta["namespace"], meta["name"]), []), port.get("name", ""))
            lines.append(rule(own, port.get("protocol", "TCP").lower(), port["port"], ends or [(addresses.gateway, 9)]))
    table = f"services{addresses.number}"
    chains = "\n".join(
        [f"chain {hook} {{ type nat hook {hook} priority -100; jump serve; }}" for hook in ("prerouting", "output")]
    )
    return f"""
add table ip {table}
delete table ip {table}
table ip {table} {{
chain serve {{
{chr(10).join(lines)}
}}
{chains}
chain postrouting {{ type nat hook postrouting priority 100; ct status dnat masquerade; }}
}}
"""


def rule(own: list[str], protocol: str, port: int, ends: list[tuple[str, int]]) -> str:
    """Each new connection goes to one of the ends by chance; where there is none it is refused, by a port nobody has."""
    targets = ", ".join(f"{number} : {address} . {target}" for number, (address, target) in enumerate(ends))
    chosen = f"numgen random mod {len(ends)} map {{ {targets} }}"
    return f"ip daddr {{ {', '.join(own)} }} {protocol} dport {port} dnat ip addr . port to {chosen}"


def load(text: str) -> None:
    result = subprocess.run(["nft", "-f", "-"], input=text, capture_output=True, text=True)
    if result.returncode:
        raise OSError(f"nft: {result.stderr.strip()[:500]}")
