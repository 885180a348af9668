package tempest

import "text/template"

// packages is where Debian installs Python's modules.
const packages = "/usr/lib/python3/dist-packages"

// stestr says where the tests are, and that those of a class stay together.
const stestr = `[DEFAULT]
test_path=` + packages + `/tempest/test_discover
top_dir=` + packages + `
group_regex=([^\.]*\.)*
`

// configuration is tempest.conf. What is on is what the real OpenStack of
// test/openstack can do: hypervisors are its driver's fake ones, so nothing is asked
// inside guests.
var configuration = template.Must(template.New("").Parse(`[DEFAULT]
log_dir = {{.Dir}}
log_file = tempest.log
debug = false

[oslo_concurrency]
lock_path = {{.Dir}}/locks

[auth]
use_dynamic_credentials = false
test_accounts_file = {{.Dir}}/accounts.yaml
admin_username = {{.Admin.Username}}
admin_password = {{.Admin.Password}}
admin_project_name = {{.Admin.Project}}
admin_domain_name = Default

[identity]
auth_version = v3
uri_v3 = {{.AuthURL}}
admin_role = admin
region = RegionOne

[identity-feature-enabled]
api_v2 = false
api_v2_admin = false
api_v3 = true
access_rules = true

[compute]
image_ref = {{.Image}}
image_ref_alt = {{.OtherImage}}
flavor_ref = {{.Flavor}}
flavor_ref_alt = {{.OtherFlavor}}
fixed_network_name = {{.Network}}
min_compute_nodes = 2
min_microversion = 2.1
max_microversion = latest
build_interval = 1
build_timeout = 90
ready_wait = 0

[compute-feature-enabled]
resize = true
change_password = true
vnc_console = true
shelve_migrate = true
hostname_fqdn_sanitization = true
block_migration_for_live_migration = true
live_migrate_back_and_forth = true
metadata_service = false
stable_rescue = true
attach_encrypted_volume = false

[service_available]
cinder = {{.Volumes}}
swift = false
glance = true
nova = true
neutron = true

[validation]
run_validation = false

[image]
region = RegionOne
container_formats = bare
disk_formats = raw,qcow2

[network]
public_network_id = {{.PublicNetwork}}
shared_physical_network = true

[network-feature-enabled]
api_extensions = {{.Extensions}}
ipv6 = true

[volume]
build_timeout = 90
backend_names =

[volume-feature-enabled]
backup = false
`))
