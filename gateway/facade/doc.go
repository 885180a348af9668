// Package facade is the engine that reads dialect tables northwards: given a table
// and any canonical.Cloud, it serves that dialect to unmodified clients. It knows
// no dialect.
//
// A facade absorbs what clouds behind it throttle: clients of these dialects do not
// retry. It never answers "not found" for what it merely could not reach.
package facade
