// Package wire is the engine that reads dialect tables southwards: given a table
// and an authenticated connection, it is a canonical.Cloud. It knows no dialect.
//
// An adapter of a dialect builds its Conn (authentication, endpoints, versions) and
// calls New; what one call of the dialect cannot do (batches, creates whose job
// names the servers) the adapter registers on Cloud.Mux, over the table's rows.
package wire
