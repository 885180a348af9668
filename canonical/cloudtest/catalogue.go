package cloudtest

import "github.com/dragoman-cloud/dragoman/canonical"

func testFlavors(k *check) {
	k.needs(canonical.ListFlavors.Spec(), canonical.GetFlavor.Spec())
	for _, f := range do(k, canonical.ListFlavors, canonical.FlavorList{}).Items {
		got := do(k, canonical.GetFlavor, canonical.FlavorGet{ID: f.ID})
		if got.ID != f.ID || got.Name != f.Name || got.VCPUs != f.VCPUs || got.RAMMiB != f.RAMMiB {
			k.errorf("flavor.get gave %+v, the list %+v", got, f)
		}
		if f.VCPUs < 1 || f.RAMMiB < 1 || f.ExtraSpecs == nil {
			k.errorf("flavor %s is incomplete: %+v", f.ID, f)
		}
	}
	k.code("flavor.get of an unknown id", try(k, canonical.GetFlavor, canonical.FlavorGet{ID: unknown}), canonical.NotFound)
}

func testImages(k *check) {
	k.needs(canonical.ListImages.Spec(), canonical.GetImage.Spec())
	for _, i := range do(k, canonical.ListImages, canonical.ImageList{}).Items {
		got := do(k, canonical.GetImage, canonical.ImageGet{ID: i.ID})
		if got.ID != i.ID || got.Name != i.Name || got.Status != i.Status {
			k.errorf("image.get gave %+v, the list %+v", got, i)
		}
		if i.Properties == nil || i.Tags == nil {
			k.errorf("image %s has nil lists or maps", i.ID)
		}
	}
	k.code("image.get of an unknown id", try(k, canonical.GetImage, canonical.ImageGet{ID: unknown}), canonical.NotFound)
}

func testNetworks(k *check) {
	k.needs(canonical.ListNetworks.Spec(), canonical.GetNetwork.Spec())
	for _, n := range do(k, canonical.ListNetworks, canonical.NetworkList{}).Items {
		got := do(k, canonical.GetNetwork, canonical.NetworkGet{ID: n.ID})
		if got.ID != n.ID || got.Name != n.Name || got.Status != n.Status {
			k.errorf("network.get gave %+v, the list %+v", got, n)
		}
		if n.CIDRs == nil || n.Subnets == nil {
			k.errorf("network %s has nil lists", n.ID)
		}
	}
	k.code("network.get of an unknown id", try(k, canonical.GetNetwork, canonical.NetworkGet{ID: unknown}), canonical.NotFound)
}

func testZones(k *check) {
	k.needs(canonical.ListAvailabilityZones.Spec())
	zones := do(k, canonical.ListAvailabilityZones, canonical.AvailabilityZoneList{}).Items
	if len(zones) == 0 {
		k.fatalf("there is no zone")
	}
	name := zones[0].Name
	for _, z := range do(k, canonical.ListAvailabilityZones, canonical.AvailabilityZoneList{Name: name}).Items {
		if z.Name != name || z.ID == "" {
			k.errorf("the list of zones named %s holds %+v", name, z)
		}
	}
}
