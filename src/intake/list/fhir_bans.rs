//! What a FHIR list says against calls elsewhere than in a patient's own elements: `Consent` and `Flag` resources, and
//! extensions.

use std::collections::HashMap;

use serde_json::Value;

/// What other resources say of patients, by the references to them.
#[derive(Default)]
pub(super) struct FhirBans {
    denied: HashMap<String, &'static str>,
    flags: HashMap<String, Vec<String>>,
}

/// The most text of flags that is kept for a patient, in bytes.
const MAX_FLAGS: usize = 2_000;

impl FhirBans {
    /// Adds what a resource says, if it is a consent or a flag.
    pub(super) fn add(&mut self, body: &Value) {
        let is = |pointer: &str, words: &[&str]| {
            body.pointer(pointer).and_then(Value::as_str).is_some_and(|found| words.contains(&found))
        };
        match body.get("resourceType").and_then(Value::as_str) {
            Some("Consent") => {
                let is_about_other = is("/scope/coding/0/code", &["research", "treatment", "adr"]);
                let is_denied =
                    is("/provision/type", &["deny"]) || is("/decision", &["deny"]) || is("/status", &["rejected"]);
                let is_in_force = !is("/status", &["inactive", "entered-in-error", "draft", "proposed", "not-done"]);
                let patient = reference(body, "/patient").or_else(|| reference(body, "/subject"));
                if let Some(patient) = patient.filter(|_| is_denied && is_in_force && !is_about_other) {
                    self.denied.insert(patient, "Consent: deny");
                }
            }
            Some("Flag") if !is("/status", &["inactive", "entered-in-error"]) => {
                let Some(patient) = reference(body, "/subject") else { return };
                let texts = ["/code/text", "/code/coding/0/display", "/code/coding/0/code"];
                let text = texts.into_iter().find_map(|pointer| body.pointer(pointer).and_then(Value::as_str));
                let flags = self.flags.entry(patient).or_default();
                let kept: usize = flags.iter().map(String::len).sum();
                flags.extend(text.filter(|text| kept + text.len() < MAX_FLAGS).map(str::to_owned));
            }
            Some(_) | None => {}
        }
    }

    /// What forbids calls to a patient; empty if nothing does.
    pub(super) fn ban(&self, patient: &Value, references: &[String]) -> &'static str {
        let by_consent = references.iter().find_map(|reference| self.denied.get(reference).copied());
        by_consent.unwrap_or_else(|| if has_forbidding_extension(patient) { "yes" } else { "" })
    }

    /// The flags of a patient, in one text.
    pub(super) fn flags(&self, references: &[String]) -> String {
        references
            .iter()
            .find_map(|reference| self.flags.get(reference))
            .map(|flags| flags.join("; "))
            .unwrap_or_default()
    }
}

/// `Patient/123` in an element's reference, or a `urn:uuid:` reference.
fn reference(body: &Value, pointer: &str) -> Option<String> {
    let reference = body.pointer(pointer)?.get("reference")?.as_str()?;
    match reference.rfind("Patient/") {
        Some(at) => Some(reference[at..].split("/_history").next().unwrap_or_default().to_owned()),
        None => reference.starts_with("urn:uuid:").then(|| reference.to_owned()),
    }
}

/// Whether a patient, or one of the patient's contact points, has an extension that says not to call.
fn has_forbidding_extension(patient: &Value) -> bool {
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let of_points = list(patient, "telecom").into_iter().flat_map(|point| list(&point, "extension"));
    list(patient, "extension").into_iter().chain(of_points).any(|extension| forbids(&extension))
}

fn forbids(extension: &Value) -> bool {
    const NAMES: [&str; 9] = [
        "donotcall",
        "donotcontact",
        "donotphone",
        "nocall",
        "nocontact",
        "optout",
        "dnc",
        "unsubscribe",
        "callrestriction",
    ];
    let url = extension.get("url").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let last = url.rsplit('/').next().unwrap_or_default();
    let name: String = last.chars().filter(char::is_ascii_alphanumeric).collect();
    let is_no = |value: &Value| match value {
        Value::Bool(yes) => !yes,
        Value::String(text) => matches!(text.to_lowercase().as_str(), "" | "no" | "false" | "n" | "0"),
        Value::Null => true,
        Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    };
    let value = extension.as_object().and_then(|all| all.iter().find(|(key, _)| key.starts_with("value")));
    NAMES.iter().any(|known| name.contains(known)) && value.is_none_or(|(_, value)| !is_no(value))
}

/// Whether another record replaces the patient's.
pub(super) fn is_replaced(patient: &Value) -> bool {
    let links = patient.get("link").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    links.iter().any(|link| link.get("type").and_then(Value::as_str) == Some("replaced-by"))
}
