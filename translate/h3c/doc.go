// Package h3c is the dialect of H3C CloudOS compute.
//
// # Quirks
//
//   - h3c.server.create: metadata must hold user_name, zone_uuid and enableAdminPass
//     ("1" or "0"). What of it has no canonical place travels in native; what a
//     client may not notice is filled in: user_name is the account's user.
//   - h3c.server.create: availability_zone is zone, zone:host or zone:host:cvk. The
//     canonical host is all after the first colon, so nothing of it is lost; cvk
//     alone may also stand in metadata.
//   - h3c.server.create: zone_uuid comes from h3c.availability_zone.list. Northwards
//     it must be the id that this list gave for the zone named.
//   - h3c.server.create: enable_gateway is "true" or "false". No canonical network
//     choice says it, and "false" changes the guest's routes: it is binding.
//   - h3c.availability_zone.list: a bare array, no tenant in its path, the zone's
//     name under "zone".
//   - h3c.server.show: created is milliseconds since 1970, updated ISO 8601;
//     adminPass is told again, which neither direction repeats.
//   - h3c.flavor.show: numbers are texts, swap is "".
//   - Errors are {code, msg, data: null, total: 0}; the table of codes is not in the
//     document, so the HTTP status decides.
package h3c
