package nova

import (
	"strconv"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type aggregate struct {
	ID        numberID              `json:"id"`
	UUID      string                `json:"uuid,omitempty" since:"2.41" always:"easystack" wire:"native"`
	Name      string                `json:"name"`
	Zone      *string               `json:"availability_zone"`
	Hosts     []string              `json:"hosts"`
	Metadata  map[string]string     `json:"metadata"`
	CreatedAt canonical.Opt[string] `json:"created_at"`
	UpdatedAt canonical.Opt[string] `json:"updated_at"`
	DeletedAt *string               `json:"deleted_at" wire:"native"`
	Deleted   bool                  `json:"deleted" wire:"native"`
}

type aggregateBody struct {
	Aggregate aggregate `json:"aggregate"`
}

type aggregatesBody struct {
	Aggregates []aggregate `json:"aggregates"`
}

func hearAggregate(w aggregate, env *translate.Env) canonical.Aggregate {
	a := canonical.Aggregate{
		ID: canonical.ID(w.ID), Name: w.Name, AvailabilityZone: w.Zone, Hosts: words.List(w.Hosts), Metadata: dict(w.Metadata),
		CreatedAt: words.Time(w.CreatedAt.Or("")), UpdatedAt: words.Time(w.UpdatedAt.Or("")),
	}
	if env.Native && w.UUID != "" {
		a.Native = map[string]any{"uuid": w.UUID}
	}
	return a
}

func sayAggregate(a canonical.Aggregate) aggregate {
	return aggregate{
		ID: numberID(a.ID), UUID: kept(a.Native, "uuid", uuidOf("aggregate", string(a.ID))), Name: a.Name, Zone: a.AvailabilityZone,
		Hosts: words.List(a.Hosts), Metadata: dict(a.Metadata),
		CreatedAt: sayOptTime(a.CreatedAt, naive), UpdatedAt: sayOptTime(a.UpdatedAt, naive),
	}
}

var aggregateAnswer = translate.Answer[canonical.Aggregate, aggregateBody]{
	Say: func(r canonical.TypedReply[canonical.Aggregate], _ *translate.Env, _ *translate.Response) (aggregateBody, error) {
		return aggregateBody{sayAggregate(r.Result)}, nil
	},
	Hear: func(w aggregateBody, _ *translate.Response, env *translate.Env) (canonical.Aggregate, error) {
		return hearAggregate(w.Aggregate, env), nil
	},
}

// aggregateMade lacks hosts and metadata, which a new one has none of.
type aggregateMade struct {
	Aggregate struct {
		ID        numberID              `json:"id"`
		UUID      string                `json:"uuid,omitempty" since:"2.41" always:"easystack" wire:"native"`
		Name      string                `json:"name"`
		Zone      *string               `json:"availability_zone"`
		CreatedAt canonical.Opt[string] `json:"created_at"`
		UpdatedAt canonical.Opt[string] `json:"updated_at"`
		DeletedAt *string               `json:"deleted_at" wire:"native"`
		Deleted   bool                  `json:"deleted" wire:"native"`
	} `json:"aggregate"`
}

var aggregateMadeAnswer = translate.Answer[canonical.Aggregate, aggregateMade]{
	Say: func(r canonical.TypedReply[canonical.Aggregate], _ *translate.Env, _ *translate.Response) (w aggregateMade, _ error) {
		a := sayAggregate(r.Result)
		to := &w.Aggregate
		to.ID, to.UUID, to.Name, to.Zone, to.CreatedAt, to.UpdatedAt = a.ID, a.UUID, a.Name, a.Zone, a.CreatedAt, a.UpdatedAt
		return w, nil
	},
	Hear: func(w aggregateMade, _ *translate.Response, env *translate.Env) (canonical.Aggregate, error) {
		a := w.Aggregate
		made := aggregate{ID: a.ID, UUID: a.UUID, Name: a.Name, Zone: a.Zone, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt}
		if a.Zone != nil {
			made.Metadata = map[string]string{"availability_zone": *a.Zone}
		}
		return hearAggregate(made, env), nil
	},
}

var aggregatesAnswer = translate.List[canonical.Aggregate, aggregatesBody]{
	Say: func(p canonical.Page[canonical.Aggregate], _ *translate.Env, _ *translate.Response) (aggregatesBody, error) {
		w := aggregatesBody{make([]aggregate, len(p.Items))}
		for i, a := range p.Items {
			w.Aggregates[i] = sayAggregate(a)
		}
		return w, nil
	},
	Hear: func(w aggregatesBody, _ *translate.Response, env *translate.Env) ([]canonical.Aggregate, error) {
		out := make([]canonical.Aggregate, len(w.Aggregates))
		for i, a := range w.Aggregates {
			out[i] = hearAggregate(a, env)
		}
		return out, nil
	},
	Whole: true,
}

const factAggregate = "aggregate"

// aggregateID is the id of the aggregate whose number is in the path.
func aggregateID(from *translate.Request, env *translate.Env) (canonical.ID, error) {
	if a, ok := translate.Fact[canonical.Aggregate](env, factAggregate); ok {
		return a.ID, nil
	}
	given := from.Params["id"]
	if _, err := strconv.Atoi(given); err != nil {
		return "", canonical.Errorf(canonical.InvalidRequest, "Invalid input for query parameters id. Value: %s. '%s' is not an integer", given, given)
	}
	e := canonical.Errorf(canonical.NotFound, "Aggregate %s could not be found.", given)
	e.Operation = canonical.GetAggregate.Spec().Name
	return "", e
}

// byNumber makes the ask of a row that is about one aggregate.
func byNumber[Req, W any](say func(Req) (W, error), hear func(W, canonical.ID) (Req, error)) translate.Ask[Req, W] {
	return translate.Ask[Req, W]{
		Say: func(r Req, _ *translate.Env, to *translate.Request) (W, error) {
			to.Params["id"] = string(translate.IDOf(r))
			return say(r)
		},
		Hear: func(w W, from *translate.Request, env *translate.Env) (r Req, err error) {
			id, err := aggregateID(from, env)
			if err != nil {
				return r, err
			}
			return hear(w, id)
		},
	}
}

type aggregateAsked struct {
	Aggregate aggregateFields `json:"aggregate"`
}

type aggregateFields struct {
	Name canonical.Opt[string]        `json:"name,omitzero"`
	Zone canonical.Opt[canonical.Ref] `json:"availability_zone,omitzero"`
}

var askAggregateCreate = translate.Ask[canonical.AggregateCreate, aggregateAsked]{
	Say: func(r canonical.AggregateCreate, _ *translate.Env, _ *translate.Request) (aggregateAsked, error) {
		w := aggregateFields{Name: canonical.Some(r.Name)}
		if r.AvailabilityZone != "" {
			w.Zone = canonical.Some(r.AvailabilityZone)
		}
		return aggregateAsked{w}, nil
	},
	Hear: func(w aggregateAsked, _ *translate.Request, _ *translate.Env) (canonical.AggregateCreate, error) {
		return canonical.AggregateCreate{Name: w.Aggregate.Name.Or(""), AvailabilityZone: w.Aggregate.Zone.Or("")}, nil
	},
}

type hostBody struct {
	Host string `json:"host"`
}

type aggregateMetadata struct {
	Metadata map[string]canonical.Opt[string] `json:"metadata"`
}

func noBody[Req any](Req) (translate.NoBody, error) { return translate.NoBody{}, nil }

func aggregateRoutes() []translate.Route {
	const all, one, action = "/os-aggregates", "/os-aggregates/{id}", "/os-aggregates/{id}/action"
	number := []translate.Need{needNumbered(factAggregate, "id", canonical.ListAggregates, canonical.AggregateList{ListOptions: everything()})}
	row := func(id, method, path string, op *canonical.Spec) translate.Route {
		return translate.Route{
			ID: id, Service: "compute", Method: method, Path: path, Op: op, Want: v(41), Needs: number, Answer: aggregateAnswer, Status: 200,
		}
	}
	list := row("nova.aggregate.list", "GET", all, canonical.ListAggregates.Spec())
	list.Needs, list.Answer = nil, aggregatesAnswer
	list.Ask = wholeList(func(o canonical.ListOptions) canonical.AggregateList { return canonical.AggregateList{ListOptions: o} })
	create := row("nova.aggregate.create", "POST", all, canonical.CreateAggregate.Spec())
	create.Needs, create.Ask, create.Answer = nil, askAggregateCreate, aggregateMadeAnswer
	show := row("nova.aggregate.show", "GET", one, canonical.GetAggregate.Spec())
	show.Ask = byNumber(noBody[canonical.AggregateGet], func(_ translate.NoBody, id canonical.ID) (canonical.AggregateGet, error) {
		return canonical.AggregateGet{ID: id}, nil
	})
	update := row("nova.aggregate.update", "PUT", one, canonical.UpdateAggregate.Spec())
	update.Ask = byNumber(func(r canonical.AggregateUpdate) (aggregateAsked, error) {
		if r.Name.IsZero() && r.AvailabilityZone.IsZero() {
			return aggregateAsked{}, words.Refuse("name", "nothing is to be changed")
		}
		return aggregateAsked{aggregateFields{r.Name, r.AvailabilityZone}}, nil
	}, func(w aggregateAsked, id canonical.ID) (canonical.AggregateUpdate, error) {
		return canonical.AggregateUpdate{ID: id, Name: w.Aggregate.Name, AvailabilityZone: w.Aggregate.Zone}, nil
	})
	remove := row("nova.aggregate.delete", "DELETE", one, canonical.DeleteAggregate.Spec())
	remove.Answer = translate.Nothing[canonical.None]()
	remove.Ask = byNumber(noBody[canonical.AggregateDelete], func(_ translate.NoBody, id canonical.ID) (canonical.AggregateDelete, error) {
		return canonical.AggregateDelete{ID: id}, nil
	})
	add := row("nova.aggregate.add_host", "POST", action, canonical.AddAggregateHost.Spec())
	add.Action = "add_host"
	add.Ask = byNumber(func(r canonical.AggregateAddHost) (hostBody, error) { return hostBody{r.Host}, nil },
		func(w hostBody, id canonical.ID) (canonical.AggregateAddHost, error) {
			return canonical.AggregateAddHost{ID: id, Host: w.Host}, nil
		})
	take := row("nova.aggregate.remove_host", "POST", action, canonical.RemoveAggregateHost.Spec())
	take.Action = "remove_host"
	take.Ask = byNumber(func(r canonical.AggregateRemoveHost) (hostBody, error) { return hostBody{r.Host}, nil },
		func(w hostBody, id canonical.ID) (canonical.AggregateRemoveHost, error) {
			return canonical.AggregateRemoveHost{ID: id, Host: w.Host}, nil
		})
	metadata := row("nova.aggregate.set_metadata", "POST", action, canonical.SetAggregateMetadata.Spec())
	metadata.Action = "set_metadata"
	metadata.Ask = byNumber(func(r canonical.AggregateSetMetadata) (aggregateMetadata, error) {
		return aggregateMetadata{dict(r.Metadata)}, nil
	}, func(w aggregateMetadata, id canonical.ID) (canonical.AggregateSetMetadata, error) {
		return canonical.AggregateSetMetadata{ID: id, Metadata: w.Metadata}, nil
	})
	return []translate.Route{list, create, show, update, remove, add, take, metadata}
}
