"""An ML2 mechanism driver for hosts that have no layer 2 agent."""

from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api


class MechanismDriver(api.MechanismDriver):
    """Binds every port to the first segment of its network.

    The agent based drivers (linuxbridge, openvswitch) bind a port only while
    an agent on its host reports in, and leave it DOWN until that agent finds
    a tap device, which the fake virt driver never plugs. Binding as ACTIVE
    here gives the port the life cycle that API clients see on a real cloud,
    network-vif-plugged events included, without a kernel bridge module.
    """

    def initialize(self):
        pass

    @property
    def connectivity(self):
        return portbindings.CONNECTIVITY_L2

    def bind_port(self, context):
        for segment in context.segments_to_bind:
            context.set_binding(
                segment[api.ID],
                portbindings.VIF_TYPE_BRIDGE,
                {portbindings.CAP_PORT_FILTER: True},
                status=constants.PORT_STATUS_ACTIVE,
            )
            return
