package h3c

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type link struct {
	Href string `json:"href"`
	Rel  string `json:"rel"`
}

// flavor has its numbers as text (h3c.flavor.show); RAM and swap in MiB, disks in GiB.
type flavor struct {
	Links     []link     `json:"links"`
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	RAM       words.Text `json:"ram"`
	VCPUs     words.Text `json:"vcpus"`
	Disk      words.Text `json:"disk"`
	Swap      words.Text `json:"swap"`
	Disabled  bool       `json:"OS-FLV-DISABLED:disabled"`
	Public    bool       `json:"os-flavor-access:is_public"`
	RxTx      string     `json:"rxtx_factor" wire:"native"`
	Ephemeral words.Text `json:"OS-FLV-EXT-DATA:ephemeral"`
}

type flavorBody struct {
	Flavor flavor `json:"flavor"`
}

type flavorsBody struct {
	Flavors []flavor `json:"flavors"`
}

func fromFlavor(f *canonical.Flavor, env *translate.Env) flavor {
	return flavor{
		ID: string(f.ID), Name: f.Name, RAM: words.Text(f.RAMMiB), VCPUs: words.Text(f.VCPUs), Disk: words.Text(f.DiskGiB),
		Swap: words.Text(f.SwapMiB), Ephemeral: words.Text(f.EphemeralGiB), Disabled: !f.Available, Public: f.Public, RxTx: "1.0",
		Links: []link{{env.Base(Compute) + "/v2/" + env.Project + "/flavors/" + string(f.ID), "self"}},
	}
}

func toFlavor(w *flavor) canonical.Flavor {
	return canonical.Flavor{
		ID: canonical.ID(w.ID), Name: w.Name, RAMMiB: int(w.RAM), VCPUs: int(w.VCPUs), DiskGiB: int(w.Disk), SwapMiB: int(w.Swap),
		EphemeralGiB: int(w.Ephemeral), Available: !w.Disabled, Public: w.Public, ExtraSpecs: map[string]string{},
	}
}

func sayFlavor(r canonical.TypedReply[canonical.Flavor], env *translate.Env, _ *translate.Response) (flavorBody, error) {
	return flavorBody{fromFlavor(&r.Result, env)}, nil
}

func hearFlavor(w flavorBody, _ *translate.Response, _ *translate.Env) (canonical.Flavor, error) {
	return toFlavor(&w.Flavor), nil
}

func sayFlavors(p canonical.Page[canonical.Flavor], env *translate.Env, _ *translate.Response) (flavorsBody, error) {
	w := flavorsBody{[]flavor{}}
	for i := range p.Items {
		w.Flavors = append(w.Flavors, fromFlavor(&p.Items[i], env))
	}
	return w, nil
}

func hearFlavors(w flavorsBody, _ *translate.Response, _ *translate.Env) ([]canonical.Flavor, error) {
	out := []canonical.Flavor{}
	for i := range w.Flavors {
		out = append(out, toFlavor(&w.Flavors[i]))
	}
	return out, nil
}
