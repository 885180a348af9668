"""Nova's fake virt driver, with a memory and with snapshots that finish."""

import io

from nova import context as nova_context
from nova import objects
from nova.image import glance
from nova.virt import fake

SNAPSHOT_DATA = b"dragoman" * 1024


class Driver(fake.FakeDriver):
    """The fake driver, changed where it would show through the API."""

    def init_host(self, host):
        """Takes back the instances of this host.

        The fake driver keeps its instances in memory only, so that after a
        restart of nova-compute every action on an older server would fail
        with InstanceNotFound.
        """
        super().init_host(host)
        context = nova_context.get_admin_context()
        for instance in objects.InstanceList.get_by_host(
            context, host, expected_attrs=["flavor"]
        ):
            self.instances[instance.uuid] = fake.FakeInstance(
                instance.name, instance.power_state, instance.uuid
            )
            self.resources.claim(
                vcpus=instance.flavor.vcpus,
                mem=instance.flavor.memory_mb,
                disk=instance.flavor.root_gb,
            )

    def snapshot(self, context, instance, image_id, update_task_state):
        """Uploads some data, without which the image would stay queued."""
        super().snapshot(context, instance, image_id, update_task_state)
        image_api = glance.API()
        image = image_api.get(context, image_id)
        image_api.update(
            context,
            image_id,
            {
                "name": image["name"],
                "disk_format": "raw",
                "container_format": "bare",
                "properties": image["properties"],
            },
            io.BytesIO(SNAPSHOT_DATA),
            purge_props=False,
        )
