"""The manifest for Kubernetes in docs/ is one that a cluster would take, by Kubernetes' own schema."""

import pytest

from document_figures import ROOT

MANIFEST = ROOT / "docs" / "kubernetes-job.yaml"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_manifest_is_valid():
    validator = pytest.importorskip("kubernetes_validate", reason="needs kubernetes-validate, for its schema")
    yaml = pytest.importorskip("yaml", reason="needs PyYAML")
    claim, job = yaml.safe_load_all(MANIFEST.read_text())
    for each in (claim, job):
        validator.validate(each, "1.33", strict=True)
    wrong = {**job, "spec": {**job["spec"], "completion": 4}}
    with pytest.raises(validator.ValidationError):
        validator.validate(wrong, "1.33", strict=True)


def test_the_pods_share_one_ledger():
    yaml = pytest.importorskip("yaml", reason="needs PyYAML")
    claim, job = yaml.safe_load_all(MANIFEST.read_text())
    [volume] = job["spec"]["template"]["spec"]["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    [container] = job["spec"]["template"]["spec"]["containers"]
    [mount] = container["volumeMounts"]
    assert mount["name"] == volume["name"]
    command = container["command"]
    assert command[command.index("--out") + 1].startswith(mount["mountPath"])
    cores = {each["name"]: each["value"] for each in container["env"]}["TRIMTAB_CORES"]
    assert cores == container["resources"]["requests"]["cpu"]
