// Package nova is the adapter for clouds that speak the OpenStack APIs: Keystone v3
// to log in and find the services, Nova, Glance and Neutron to work with.
//
// What the calls say is in the table translate/nova, what they travel by in
// adapters/transport. Here are the session of one account (its token, its catalog,
// the versions of its compute service) and the operations that take several calls.
package nova
