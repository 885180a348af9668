// Package nova is the OpenStack dialect as one table: compute (Nova 2.1 to 2.93),
// image (Glance v2), network (Neutron v2.0) and volume (Cinder 3.0 to 3.70), readable in both directions. It does
// no I/O; authentication, discovery and retries belong to adapters/nova, tokens and
// catalogs to the facade.
//
// Sources: clients/openstack.md (what unmodified clients call and need), wire/nova-zed
// (what a real Nova answers, per microversion), catalogue easystack (Nova-like ids).
//
// # Quirks
//
//   - A flavor inside a server is {id, links} up to 2.46 and the shape without an id
//     from 2.47; southwards the id is found again by the flavor's name.
//   - PUT of a server and rebuild answer the full server only from 2.75.
//   - The image of a server booted from a volume is "" and not null.
//   - config_drive is "True" or ""; swap of a flavor is "" for 0 below 2.75.
//   - created and updated have a zone, OS-SRV-USG:* and keypair times have none.
//   - Quota is 403 with a message that says so; Neutron's is 409 OverQuota.
//   - What a create points to and is not there is 400; what a path points to is 404.
//   - A method that a path does not have is 404 in Nova, 405 in Glance and Neutron.
//   - networks may be left out below 2.37 and is required from 2.37.
//   - personality ends with 2.56, generated keys end with 2.91.
//   - Actions set task_state before they answer, so a wait for a status without a
//     task is enough, even for a reboot, which begins and ends in ACTIVE.
//   - Images carry their own properties beside the fields of the schema; they change by
//     JSON patch, where "add" replaces too and "remove" of what is not there is 409.
//   - Glance's own default of visibility is "shared"; the download of an image without
//     bytes is 204; a protected image is 403; the answer to an upload tells nothing.
//   - Hypervisors have numbers below 2.53, UUIDs from then on, and tell nothing of their
//     capacity from 2.88, so 2.87 is asked for. Clients crash where uptime is null.
//   - Cinder says 400 "Invalid volume: ..." to what a state forbids, and so does Nova of a
//     volume; its quotas are 413 with Retry-After 0; what a create points to is 404.
//   - Cinder replaces metadata by PUT and merges them by POST, which tell the metadata
//     alone; snapshots of volumes in use need force below 3.66, and no word from then on.
//   - An attachment has the id of its volume below 2.89, and none from then on.
//   - Some hypervisors give the whole console whatever length is asked for.
package nova
