// Package tempest holds dragoman's OpenStack facade to Tempest, OpenStack's own test
// suite, which checks every answer against a schema that forbids unknown and missing
// keys, and exact status codes.
//
// The same tests run against three clouds: a real OpenStack directly, dragoman over
// it, and dragoman over a cloud in memory. What passes directly must pass through
// dragoman; differences.tsv holds the reason of each test that does not.
package tempest
