-- A database of schema version 2, as dragoman made it.
BEGIN TRANSACTION;
CREATE TABLE api_keys (
		id TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenants(name), role TEXT NOT NULL,
		name TEXT NOT NULL, seal BLOB NOT NULL, created_at TEXT NOT NULL);
INSERT INTO "api_keys" VALUES('key1','acme','member','ci',X'7365616C31','2026-11-25T11:00:00.000000000Z');
CREATE TABLE events (
		id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, at REAL NOT NULL);
INSERT INTO "events" VALUES(1,'acme','operation','{"id":"op1","operation":"server.create","status":"running","progress":0,"cloud":"mem","resources":[{"type":"server","id":"mem:1"}],"steps":null,"error":null,"result":null,"request_id":"","tenant":"acme","created_at":"2026-11-25T11:00:00Z","updated_at":"2026-11-25T11:00:00Z"}',1795604633.0);
CREATE TABLE native_claims (
		cloud TEXT NOT NULL, server TEXT NOT NULL, host TEXT NOT NULL, vcpus INTEGER NOT NULL, ram_mib INTEGER NOT NULL,
		disk_gib INTEGER NOT NULL, created_at TEXT NOT NULL, PRIMARY KEY (cloud, server));
INSERT INTO "native_claims" VALUES('kvm1','s1','h1',1,512,10,'2026-11-25T11:03:53.185320078Z');
CREATE TABLE native_objects (
		cloud TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (cloud, kind, id));
INSERT INTO "native_objects" VALUES('kvm1','server','s1','{"Name":"web"}');
CREATE TABLE operations (
		id TEXT PRIMARY KEY, tenant TEXT NOT NULL, operation TEXT NOT NULL, status TEXT NOT NULL,
		cloud TEXT NOT NULL, body TEXT NOT NULL, task TEXT, phase TEXT NOT NULL, intent TEXT NOT NULL,
		deadline TEXT NOT NULL, created_at TEXT NOT NULL, owner TEXT NOT NULL, fence BIGINT NOT NULL,
		leased_until REAL NOT NULL);
INSERT INTO "operations" VALUES('op1','acme','server.create','running','mem','{"id":"op1","operation":"server.create","status":"running","progress":0,"cloud":"mem","resources":[{"type":"server","id":"mem:1"}],"steps":null,"error":null,"result":null,"request_id":"","tenant":"acme","created_at":"2026-11-25T11:00:00Z","updated_at":"2026-11-25T11:00:00Z"}','{"cloud":"mem","resources":[{"type":"server","id":"mem:1"}],"status":{"done":["running"]}}','waiting','{"names":["web"]}','2026-11-25T12:00:00.000000000Z','2026-11-25T11:00:00.000000000Z','dead',3,1000000000.0);
CREATE TABLE owned (
		cloud TEXT NOT NULL, kind TEXT NOT NULL, resource TEXT, tenant TEXT NOT NULL,
		intent TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE (cloud, kind, resource));
INSERT INTO "owned" VALUES('mem','server','mem:1','acme','op1','2026-11-25T11:03:53.185440397Z');
CREATE TABLE repeats (
		key BLOB PRIMARY KEY, digest BLOB NOT NULL, owner TEXT NOT NULL, request_id TEXT NOT NULL,
		begun_at TEXT NOT NULL, answer BLOB, until REAL NOT NULL);
INSERT INTO "repeats" VALUES(X'72657065617431',X'64','dead','r1','2026-11-25T11:00:00.000000000Z',X'616E7377657231',4.94920463318499946614e+09);
CREATE TABLE schema_version (version INTEGER PRIMARY KEY);
INSERT INTO "schema_version" VALUES(1);
INSERT INTO "schema_version" VALUES(2);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "settings" VALUES('instance','instance');
CREATE TABLE tenants (
		id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, declared BOOLEAN NOT NULL, created_at TEXT NOT NULL);
INSERT INTO "tenants" VALUES('t1','acme',0,'2026-11-25T11:00:00.000000000Z');
CREATE INDEX operations_by_tenant ON operations (tenant, created_at);
CREATE INDEX operations_unfinished ON operations (leased_until) WHERE status IN ('pending', 'running');
CREATE INDEX events_by_tenant ON events (tenant, id);
CREATE INDEX events_by_age ON events (at);
CREATE INDEX owned_by_tenant ON owned (tenant, cloud, kind);
CREATE INDEX owned_by_intent ON owned (intent);
CREATE INDEX repeats_by_until ON repeats (until);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('events',1);
COMMIT;
