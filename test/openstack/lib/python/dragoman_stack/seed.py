"""Fills the stack with what the tests expect, and proves that it works.

Every step looks before it makes, so that an interrupted one can run again.
"""

import argparse
import json
import os
import sys
import time

import openstack

REGION = "RegionOne"
SERVICES = {
    # name: (type, path below the service's root)
    "glance": ("image", ""),
    "placement": ("placement", ""),
    "neutron": ("network", ""),
    "nova": ("compute", "/v2.1"),
    "cinder": ("volumev3", "/v3"),
}
TENANTS = ("demo", "other")
FLAVORS = (
    # id, name, vcpus, MiB of memory, GB of disk, extra specs
    ("1", "m1.tiny", 1, 64, 1, {}),
    ("2", "m1.small", 1, 128, 1, {}),
    ("3", "m1.medium", 2, 256, 2, {"hw_rng:allowed": "True"}),
)
IMAGES = ("cirros", "cirros-2")
IMAGE_SIZE = 2 << 20
COMPUTE_HOSTS = ("compute-1", "compute-2")


class Stack:
    """The addresses of the stack, and connections to it."""

    def __init__(self, arguments):
        self.directory = arguments.dir
        self.password = arguments.password
        self.ports = {name: getattr(arguments, name) for name in SERVICES}
        self.auth_url = f"http://127.0.0.1:{arguments.keystone}/v3"

    def credentials(self, name):
        return {
            "username": name,
            "password": self.password,
            "project": name,
            "user_domain": "Default",
            "project_domain": "Default",
        }

    def connect(self, name="admin"):
        return openstack.connect(
            load_envvars=False,
            load_yaml_config=False,
            auth_url=self.auth_url,
            region_name=REGION,
            username=name,
            password=self.password,
            project_name=name,
            user_domain_name="Default",
            project_domain_name="Default",
            compute_default_microversion="2.93",
        )


def seed_identity(stack):
    identity = stack.connect().identity
    domain = identity.find_domain("Default", ignore_missing=False)
    roles = {
        name: identity.find_role(name) or identity.create_role(name=name)
        for name in ("admin", "member", "reader", "service")
    }

    def project(name):
        return identity.find_project(name, domain_id=domain.id) or identity.create_project(
            name=name, domain_id=domain.id
        )

    def user(name, project, *role_names):
        found = identity.find_user(name, domain_id=domain.id) or identity.create_user(
            name=name,
            password=stack.password,
            domain_id=domain.id,
            default_project_id=project.id,
        )
        for role in role_names:
            identity.assign_project_role_to_user(project, found, roles[role])

    service_project = project("service")
    for name, (kind, path) in SERVICES.items():
        user(name, service_project, "admin", "service")
        service = identity.find_service(name) or identity.create_service(name=name, type=kind)
        known = {e.interface for e in identity.endpoints(service_id=service.id)}
        for interface in ("public", "internal", "admin"):
            if interface not in known:
                identity.create_endpoint(
                    service_id=service.id,
                    interface=interface,
                    region_id=REGION,
                    url=f"http://127.0.0.1:{stack.ports[name]}{path}",
                )
    for name in TENANTS:
        user(name, project(name), "member", "reader")


def seed_resources(stack):
    cloud = stack.connect()

    for id_, name, vcpus, ram, disk, extra_specs in FLAVORS:
        if cloud.compute.find_flavor(id_) is None:
            flavor = cloud.compute.create_flavor(
                id=id_, name=name, vcpus=vcpus, ram=ram, disk=disk
            )
            if extra_specs:
                cloud.compute.create_flavor_extra_specs(flavor, extra_specs)

    for name in IMAGES:
        image = cloud.image.find_image(name)
        if image is not None and image.status != "active":
            cloud.image.delete_image(image)
            image = None
        if image is None:
            # The fake driver boots nothing, so the data only has to be there.
            cloud.image.create_image(
                name=name,
                data=name.encode().ljust(IMAGE_SIZE, b"\0"),
                disk_format="raw",
                container_format="bare",
                visibility="public",
                validate_checksum=False,
            )

    demo = cloud.identity.find_project("demo", ignore_missing=False)

    def network(name, subnet, cidr, **attributes):
        found = cloud.network.find_network(name) or cloud.network.create_network(
            name=name, **attributes
        )
        if cloud.network.find_subnet(subnet, network_id=found.id) is None:
            cloud.network.create_subnet(
                network_id=found.id,
                project_id=found.project_id,
                name=subnet,
                ip_version=4,
                cidr=cidr,
            )
        return found

    network("net1", "sub1", "10.9.0.0/24", is_shared=True)
    network("net2", "sub2", "10.9.1.0/24", project_id=demo.id)


def describe(stack, cloud):
    """Writes what tests and people need to reach the stack."""
    peer = {
        "auth_url": stack.auth_url,
        "region": REGION,
        "admin": stack.credentials("admin"),
        **{name: stack.credentials(name) for name in TENANTS},
        "image": "cirros",
        "image_id": cloud.image.find_image("cirros", ignore_missing=False).id,
        "other_image": "cirros-2",
        "flavor": "m1.tiny",
        "flavor_id": "1",
        "other_flavor": "m1.small",
        "network": "net1",
        "network_id": cloud.network.find_network("net1", ignore_missing=False).id,
        "other_network": "net2",
        "hosts": list(COMPUTE_HOSTS),
        "compute_microversion": "2.93",
    }
    write(stack, "peer.json", json.dumps(peer, indent=2) + "\n")
    for name in ("admin",) + TENANTS:
        write(
            stack,
            "openrc" if name == "admin" else f"{name}-openrc",
            f"export OS_AUTH_URL={stack.auth_url}\n"
            f"export OS_REGION_NAME={REGION}\n"
            f"export OS_USERNAME={name}\n"
            f"export OS_PASSWORD={stack.password}\n"
            f"export OS_PROJECT_NAME={name}\n"
            "export OS_USER_DOMAIN_NAME=Default\n"
            "export OS_PROJECT_DOMAIN_NAME=Default\n"
            "export OS_IDENTITY_API_VERSION=3\n"
            # The client of this release stops one short of the server's 2.93.
            "export OS_COMPUTE_API_VERSION=2.92\n",
        )


def write(stack, name, text):
    """Replaces a file at once: a reader sees the old text or the new one."""
    path = os.path.join(stack.directory, name)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def probe(stack):
    """Makes a server on each host and deletes it again, then tells of the stack."""
    cloud = stack.connect()
    image = cloud.image.find_image("cirros", ignore_missing=False)
    network = cloud.network.find_network("net1", ignore_missing=False)
    deadline = time.monotonic() + 120
    for host in COMPUTE_HOSTS:
        while True:
            server = cloud.compute.create_server(
                name="dragoman-probe",
                image_id=image.id,
                flavor_id="1",
                networks=[{"uuid": network.id}],
                host=host,
            )
            started = time.monotonic()
            try:
                cloud.compute.wait_for_server(server, interval=0.3, wait=60)
                print(f"{host}: active after {time.monotonic() - started:.1f} s")
                break
            except openstack.exceptions.SDKException as error:
                # A host may need a moment more until the scheduler sees it.
                print(f"{host}: {error}")
                if time.monotonic() > deadline:
                    return 1
                time.sleep(2)
            finally:
                cloud.compute.delete_server(server)
                cloud.compute.wait_for_delete(server, interval=0.3, wait=60)
    describe(stack, cloud)
    return 0


def main():
    parser = argparse.ArgumentParser(prog="seed")
    steps = {"identity": seed_identity, "resources": seed_resources, "probe": probe}
    parser.add_argument("step", choices=steps)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--password", required=True)
    for name in ("keystone", *SERVICES):
        parser.add_argument(f"--{name}", type=int, required=True)
    arguments = parser.parse_args()
    return steps[arguments.step](Stack(arguments))


if __name__ == "__main__":
    sys.exit(main())
