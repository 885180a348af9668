package cloudtest

import "github.com/dragoman-cloud/dragoman/canonical"

func testFlavors(k *check) {
	k.needs(canonical.ListFlavors.Spec(), canonical.GetFlavor.Spec())
	for _, f := range testLists(k, func(o canonical.ListOptions, name, prefix string) canonical.Page[canonical.Flavor] {
		return do(k, canonical.ListFlavors, canonical.FlavorList{ListOptions: o, Name: name, NamePrefix: prefix})
	}) {
		got := do(k, canonical.GetFlavor, canonical.FlavorGet{ID: f.ID})
		if got.ID != f.ID || got.Name != f.Name || got.VCPUs != f.VCPUs || got.RAMMiB != f.RAMMiB {
			k.errorf("flavor.get gave %+v, the list %+v", got, f)
		}
		if f.VCPUs < 1 || f.RAMMiB < 1 {
			k.errorf("flavor %s is incomplete: %+v", f.ID, f)
		}
	}
	k.code("flavor.get of an unknown id", try(k, canonical.GetFlavor, canonical.FlavorGet{ID: unknown}), canonical.NotFound)
}

func testImages(k *check) {
	k.needs(canonical.ListImages.Spec(), canonical.GetImage.Spec())
	for _, i := range testLists(k, func(o canonical.ListOptions, name, prefix string) canonical.Page[canonical.Image] {
		return do(k, canonical.ListImages, canonical.ImageList{ListOptions: o, Name: name, NamePrefix: prefix})
	}) {
		got := do(k, canonical.GetImage, canonical.ImageGet{ID: i.ID})
		if got.ID != i.ID || got.Name != i.Name || got.Status != i.Status {
			k.errorf("image.get gave %+v, the list %+v", got, i)
		}
	}
	k.code("image.get of an unknown id", try(k, canonical.GetImage, canonical.ImageGet{ID: unknown}), canonical.NotFound)
	k.refused("a status that is none", try(k, canonical.ListImages, canonical.ImageList{Status: "odd"}), "status")
}

func testNetworks(k *check) {
	k.needs(canonical.ListNetworks.Spec(), canonical.GetNetwork.Spec())
	for _, n := range testLists(k, func(o canonical.ListOptions, name, prefix string) canonical.Page[canonical.Network] {
		return do(k, canonical.ListNetworks, canonical.NetworkList{ListOptions: o, Name: name, NamePrefix: prefix})
	}) {
		got := do(k, canonical.GetNetwork, canonical.NetworkGet{ID: n.ID})
		if got.ID != n.ID || got.Name != n.Name || got.Status != n.Status {
			k.errorf("network.get gave %+v, the list %+v", got, n)
		}
	}
	k.code("network.get of an unknown id", try(k, canonical.GetNetwork, canonical.NetworkGet{ID: unknown}), canonical.NotFound)
}

func testZones(k *check) {
	k.needs(canonical.ListAvailabilityZones.Spec())
	for _, z := range testLists(k, func(o canonical.ListOptions, name, prefix string) canonical.Page[canonical.AvailabilityZone] {
		return do(k, canonical.ListAvailabilityZones, canonical.AvailabilityZoneList{ListOptions: o, Name: name, NamePrefix: prefix})
	}) {
		if z.Name == "" || z.ID == "" {
			k.errorf("a zone is %+v", z)
		}
	}
}
