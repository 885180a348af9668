// Package huawei is the dialect of Huawei Cloud Stack's elastic servers.
//
// # Quirks
//
//   - hws.cloudserver.create: answers only a job's id; the job's entities name the
//     servers. nics[].subnet_id is a network's id. os:scheduler_hints stands inside
//     server. root_volume.size is text, data_volumes[].size a number, both GiB.
//   - hws.cloudserver.create: vpcid is mandatory and has no canonical place, for a
//     network determines its VPC: southwards a Need gets the first network and takes
//     vpc_id of its native fields; northwards it is advisory, and hws.subnet.show
//     tells the network's own id where the cloud behind has no VPCs.
//   - hws.cloudserver.create: root_volume.volumetype is mandatory; it travels in
//     native as root_volume_type. power_on false and a public IP cannot be had.
//   - hws.job.show: entities is {sub_jobs}, {server_id}, {nic_id} or {}; end_time is
//     "" while the job runs.
//   - hws.cloudserver.list_detail: offset is a page number, of which 0 and 1 are the
//     first; without it only the number of servers is answered. name is fuzzy.
//   - hws.server.rebuild and hws.server_snapshot.rollback are the same call: what
//     imageRef names decides. Both directions ask hws.server_snapshot.list.
//   - hws.server_snapshot.list: the image list, told apart by one query key.
//   - Errors are {error: {message, code}} or {error_msg, error_code}.
package huawei
