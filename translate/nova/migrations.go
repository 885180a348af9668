package nova

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type migration struct {
	ID         numberID              `json:"id"`
	UUID       string                `json:"uuid,omitempty" since:"2.59" wire:"native"`
	Server     string                `json:"instance_uuid"`
	Kind       string                `json:"migration_type,omitempty" since:"2.23"`
	Status     string                `json:"status"`
	SourceHost *string               `json:"source_compute"`
	SourceNode *string               `json:"source_node"`
	DestHost   *string               `json:"dest_compute"`
	DestNode   *string               `json:"dest_node"`
	DestIP     *string               `json:"dest_host"`
	OldFlavor  int                   `json:"old_instance_type_id" wire:"native"`
	NewFlavor  int                   `json:"new_instance_type_id" wire:"native"`
	CreatedAt  canonical.Opt[string] `json:"created_at"`
	UpdatedAt  canonical.Opt[string] `json:"updated_at"`
	UserID     canonical.Opt[string] `json:"user_id,omitzero" since:"2.80"`
	ProjectID  canonical.Opt[string] `json:"project_id,omitzero" since:"2.80"`
}

type migrationsBody struct {
	Migrations []migration `json:"migrations"`
	Links      []link      `json:"migrations_links,omitempty" since:"2.59"`
}

func hearMigration(w migration, env *translate.Env) canonical.ServerMigration {
	m := canonical.ServerMigration{
		ID: canonical.ID(w.ID), Server: canonical.ID(w.Server), Kind: w.Kind, Status: w.Status, SourceHost: w.SourceHost, SourceHypervisor: w.SourceNode,
		DestHost: w.DestHost, DestHypervisor: w.DestNode, DestIP: w.DestIP, ProjectID: ptr(w.ProjectID), UserID: ptr(w.UserID),
		CreatedAt: words.Time(w.CreatedAt.Or("")), UpdatedAt: words.Time(w.UpdatedAt.Or("")),
	}
	if w.UUID != "" {
		m.ID = canonical.ID(w.UUID)
	}
	if env.Native {
		m.Native = map[string]any{"id": string(w.ID), "old_instance_type_id": w.OldFlavor, "new_instance_type_id": w.NewFlavor}
	}
	return m
}

func sayMigration(m canonical.ServerMigration, _ *translate.Env) migration {
	w := migration{
		ID: numberID(kept(m.Native, "id", string(m.ID))), UUID: string(m.ID), Server: string(m.Server), Kind: m.Kind, Status: m.Status,
		SourceHost: m.SourceHost, SourceNode: m.SourceHypervisor, DestHost: m.DestHost, DestNode: m.DestHypervisor, DestIP: m.DestIP,
		OldFlavor: kept(m.Native, "old_instance_type_id", 0), NewFlavor: kept(m.Native, "new_instance_type_id", 0),
		CreatedAt: sayOptTime(m.CreatedAt, naive), UpdatedAt: sayOptTime(m.UpdatedAt, naive), UserID: opt(m.UserID), ProjectID: opt(m.ProjectID),
	}
	if !uuidForm.MatchString(w.UUID) {
		w.UUID = uuidOf("migration", w.UUID)
	}
	return w
}

func migrationRoutes() []translate.Route {
	return []translate.Route{{
		ID: "nova.migration.list", Service: "compute", Method: "GET", Path: "/os-migrations", Op: canonical.ListServerMigrations.Spec(), Want: v(80), Status: 200,
		Ask: translate.Ask[canonical.ServerMigrationList, translate.NoBody]{
			Say: func(r canonical.ServerMigrationList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
				for key, value := range map[string]string{"instance_uuid": string(r.Server), "host": r.Host, "migration_type": r.Kind, "status": r.Status} {
					if value != "" {
						to.Query.Set(key, value)
					}
				}
				return translate.NoBody{}, nil
			},
			Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (canonical.ServerMigrationList, error) {
				q := from.Query
				r := canonical.ServerMigrationList{Server: canonical.ID(q.Get("instance_uuid")), Host: q.Get("host"), Kind: q.Get("migration_type"), Status: q.Get("status")}
				opts, err := hearPaging(from, env, pagingOf(canonical.NewestFirst))
				r.ListOptions = opts
				return r, err
			},
		},
		Answer: translate.List[canonical.ServerMigration, migrationsBody]{
			Say: func(p canonical.Page[canonical.ServerMigration], env *translate.Env, _ *translate.Response) (migrationsBody, error) {
				w := migrationsBody{make([]migration, len(p.Items)), nextLinks(env, "compute", p.NextCursor, lastID(p.Items))}
				for i, m := range p.Items {
					w.Migrations[i] = sayMigration(m, env)
				}
				return w, nil
			},
			Hear: func(w migrationsBody, _ *translate.Response, env *translate.Env) ([]canonical.ServerMigration, error) {
				out := make([]canonical.ServerMigration, len(w.Migrations))
				for i, m := range w.Migrations {
					out[i] = hearMigration(m, env)
				}
				return out, nil
			},
			Next: func(w migrationsBody, asked *translate.Request, _ []canonical.ServerMigration) *translate.Request {
				return follow(w.Links, asked)
			},
		},
	}}
}
