package nova

import (
	"encoding/json"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type flavorCreateBody struct {
	Flavor flavorCreate `json:"flavor"`
}

// flavorCreate is a new flavor (Nova's schema flavors.create).
type flavorCreate struct {
	Name        string          `json:"name"`
	ID          *flavorChoice   `json:"id,omitempty"`
	VCPUs       number          `json:"vcpus"`
	RAM         number          `json:"ram"`
	Disk        number          `json:"disk"`
	Ephemeral   number          `json:"OS-FLV-EXT-DATA:ephemeral,omitempty"`
	Swap        number          `json:"swap,omitempty"`
	Public      *loose          `json:"os-flavor-access:is_public,omitempty"`
	Description *string         `json:"description,omitempty" since:"2.55"`
	RxTx        json.RawMessage `json:"rxtx_factor,omitempty" wire:"advisory"`
}

// flavorChoice is an id that may be sent as a number; "auto" leaves it to the cloud.
type flavorChoice string

// UnmarshalJSON implements json.Unmarshaler.
func (c *flavorChoice) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		*c = flavorChoice(text)
		return nil
	}
	var n number
	if err := n.UnmarshalJSON(b); err != nil {
		return canonical.Invalid("id", "must be a text")
	}
	*c = flavorChoice(string(b))
	return nil
}

func sayFlavorCreate(r canonical.FlavorCreate, _ *translate.Env, _ *translate.Request) (flavorCreateBody, error) {
	if len(r.ExtraSpecs) > 0 { // a call of their own, which the adapter makes
		return flavorCreateBody{}, words.Refuse("extra_specs", "are not made by this call")
	}
	w := flavorCreate{
		Name: r.Name, VCPUs: number(r.VCPUs), RAM: number(r.RAMMiB), Disk: number(r.DiskGiB),
		Ephemeral: number(r.EphemeralGiB), Swap: number(r.SwapMiB), Description: words.Filled(r.Description),
	}
	if r.ID != "" {
		id := flavorChoice(r.ID)
		w.ID = &id
	}
	if r.ID == "auto" {
		return flavorCreateBody{}, words.Refuse("id", "auto is no id here")
	}
	if r.Public != nil {
		public := loose(*r.Public)
		w.Public = &public
	}
	return flavorCreateBody{w}, nil
}

func hearFlavorCreate(w flavorCreateBody, _ *translate.Request, _ *translate.Env) (canonical.FlavorCreate, error) {
	f := w.Flavor
	r := canonical.FlavorCreate{
		Name: f.Name, Description: words.Or(f.Description, ""), VCPUs: int(f.VCPUs), RAMMiB: int(f.RAM), DiskGiB: int(f.Disk),
		EphemeralGiB: int(f.Ephemeral), SwapMiB: int(f.Swap),
	}
	if f.ID != nil && *f.ID != "auto" {
		r.ID = string(*f.ID)
	}
	if f.Public != nil {
		public := bool(*f.Public)
		r.Public = &public
	}
	return r, nil
}

func flavorWriteRoutes() []translate.Route {
	return []translate.Route{
		{
			ID: "nova.flavor.create", Service: "compute", Method: "POST", Path: "/flavors", Op: canonical.CreateFlavor.Spec(), Want: v(79),
			Ask:    translate.Ask[canonical.FlavorCreate, flavorCreateBody]{Say: sayFlavorCreate, Hear: hearFlavorCreate},
			Answer: flavorAnswer, Status: 200,
		},
		{
			ID: "nova.flavor.delete", Service: "compute", Method: "DELETE", Path: "/flavors/{id}", Op: canonical.DeleteFlavor.Spec(),
			Ask: translate.ByID[canonical.FlavorDelete]("id"), Answer: translate.Nothing[canonical.None](), Status: 202,
		},
	}
}
