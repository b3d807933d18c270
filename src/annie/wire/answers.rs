//! The answers that are read.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use super::{lenient, mend};
use crate::annie::{Conversation, Medium, Nameless, Page, Status};
use crate::entry::Testimony;
use crate::ids::ConversationId;
use crate::phone::E164;

/// The longest conversation id that is believed, in bytes; a UUID has 36.
const ID_AT_MOST: usize = 128;

/// How deep an error body is searched for words.
const MESSAGE_DEPTH: usize = 6;

/// The body is not what the contract says. It never says more: a body may hold a patient's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an answer that the contract knows")]
pub struct Malformed;

/// What the token endpoint gave.
#[derive(Debug)]
pub struct Token {
    /// The token, as it goes behind `Bearer`.
    pub secret: SecretString,
    /// Seconds that it lasts, if the answer says.
    pub expires_in: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Envelope {
    #[serde(deserialize_with = "lenient::flag")]
    success: Option<bool>,
    data: Value,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PlacedData {
    #[serde(deserialize_with = "lenient::text")]
    conversation_id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PageData {
    #[serde(deserialize_with = "lenient::rows")]
    conversations: Option<Vec<Value>>,
    pagination: Value,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Pagination {
    #[serde(deserialize_with = "lenient::count")]
    total_count: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ConversationData {
    #[serde(deserialize_with = "lenient::text")]
    conversation_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    medium: Option<String>,
    #[serde(deserialize_with = "lenient::phone")]
    from_number: Option<E164>,
    #[serde(deserialize_with = "lenient::phone")]
    to_number: Option<E164>,
    #[serde(deserialize_with = "lenient::instant")]
    start_time: Option<DateTime<Utc>>,
    #[serde(deserialize_with = "lenient::instant")]
    end_time: Option<DateTime<Utc>>,
    #[serde(deserialize_with = "lenient::text")]
    status: Option<String>,
    #[serde(deserialize_with = "lenient::texts")]
    conversation_tags: Vec<String>,
    #[serde(deserialize_with = "lenient::text")]
    topic: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    summary: Option<String>,
    #[serde(deserialize_with = "lenient::texts")]
    actions_needed: Vec<String>,
    #[serde(deserialize_with = "lenient::number")]
    duration: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct NumbersData {
    #[serde(deserialize_with = "lenient::rows")]
    phone_numbers: Option<Vec<Value>>,
    pagination: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NumberData {
    #[serde(deserialize_with = "lenient::phone")]
    number: Option<E164>,
    #[serde(deserialize_with = "lenient::flag")]
    outbound: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TokenData {
    #[serde(deserialize_with = "lenient::text")]
    access_token: Option<String>,
    #[serde(deserialize_with = "lenient::count")]
    expires_in: Option<u64>,
}

/// `POST /calls`, 2xx: the conversation that began. An answer that says `"success": false` and names one all the same
/// contradicts itself, so it is malformed.
pub fn placed(body: &[u8]) -> Result<ConversationId, Malformed> {
    let data: PlacedData = object(opened(body)?)?;
    id_of(data.conversation_id).ok_or(Malformed)
}

/// `GET /conversations`, 2xx. A row without a readable id is kept as far as it can be read.
pub fn page(body: &[u8]) -> Result<Page, Malformed> {
    let data: PageData = object(opened(body)?)?;
    let pagination: Pagination = object(data.pagination).unwrap_or_default();
    let mut page = Page { total: pagination.total_count, ..Page::default() };
    for row in data.conversations.ok_or(Malformed)? {
        let mut row: ConversationData = object(row).unwrap_or_default();
        match id_of(row.conversation_id.take()) {
            Some(id) => page.conversations.push(told(row, id)),
            None => page.nameless.push(row.into()),
        }
    }
    Ok(page)
}

/// `GET /conversations/{id}`, 2xx. The id may be missing; another one is somebody else's conversation.
pub fn conversation(body: &[u8], asked: &ConversationId) -> Result<Conversation, Malformed> {
    let data: ConversationData = object(opened(body)?)?;
    match &data.conversation_id {
        Some(id) if !id.trim().eq_ignore_ascii_case(asked.as_str()) => Err(Malformed),
        Some(_) | None => Ok(told(data, asked.clone())),
    }
}

/// `GET /phone-numbers`, 2xx: whether `from` may call out; `None` where the answer does not say. The shape is known from
/// an example only, so another one says nothing rather than being malformed.
pub fn may_call_from(body: &[u8], from: E164) -> Result<Option<bool>, Malformed> {
    let data = opened(body)?;
    let list = if data.is_array() { NumbersData::of_list(data) } else { object(data).unwrap_or_default() };
    Ok(list.says_of(from))
}

/// The token endpoint, 2xx.
pub fn token(body: &[u8]) -> Result<Token, Malformed> {
    let data: TokenData = object(mend::parse(body).ok_or(Malformed)?)?;
    let secret = data.access_token.ok_or(Malformed)?.into();
    Ok(Token { secret, expires_in: data.expires_in })
}

/// What an error body says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The texts in it. They may name a number or a patient, so they are shown only after [`crate::annie::quote`].
    texts: Vec<String>,
    /// The names of fields in it, which tell what a text is about.
    names: Vec<String>,
}

impl Said {
    /// The texts, joined.
    #[must_use]
    pub fn quoted(&self) -> String {
        self.texts.join(" · ")
    }

    /// All that may tell whom a refusal concerns.
    #[must_use]
    pub fn searched(&self) -> String {
        self.names.iter().chain(&self.texts).map(String::as_str).collect::<Vec<_>>().join(" / ")
    }
}

/// What an error body says, whatever its shape: the texts in its JSON, or a plain text. A web page says nothing of ours.
#[must_use]
pub fn said(body: &[u8]) -> Said {
    let mut said = Said::default();
    match mend::parse(body) {
        Some(value) => gather(&value, "", false, MESSAGE_DEPTH, &mut said),
        None if is_web_page(body) => {}
        None => said.texts.push(String::from_utf8_lossy(body).trim().to_owned()),
    }
    said
}

/// Whether a body is a page for people: a proxy's, a gateway's, a login's.
#[must_use]
pub fn is_web_page(body: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&body[..body.len().min(PAGE_HEAD)]).to_ascii_lowercase();
    let start = start.trim_start_matches('\u{feff}').trim_start();
    ["<!doctype", "<html", "<head", "<body", "<title", "<!--", "<center", "<h1"]
        .iter()
        .any(|tag| start.starts_with(tag))
}

/// Of a web page, what is looked at, in bytes.
const PAGE_HEAD: usize = 256;

/// What the names of fields contain that say why, whatever it is about.
const GENERAL: [&str; 15] = [
    "message",
    "error",
    "fault",
    "code",
    "reason",
    "detail",
    "data",
    "title",
    "type",
    "description",
    "exception",
    "cause",
    "invalid",
    "violation",
    "issue",
];

/// What the names of fields contain whose own fields are those that something is wrong with.
const LISTS: [&str; 9] = ["error", "fault", "detail", "fields", "violation", "issue", "validation", "invalid", "param"];

/// Fields that are about the exchange, and not about why it failed.
const ASIDE: [&str; 7] = ["status", "statuscode", "timestamp", "requestid", "traceid", "instance", "id"];

/// Fields that name the field in question.
const NAMING: [&str; 11] =
    ["field", "param", "parameter", "property", "attribute", "target", "source", "pointer", "loc", "path", "name"];

/// Gathers what an error says. A field with another name is looked at only in a list of what is wrong: elsewhere it may be the
/// request, repeated.
fn gather(value: &Value, name: &str, listed: bool, depth: usize, said: &mut Said) {
    match value {
        Value::String(text) if listed && NAMING.contains(&name) => said.names.push(number_named(text)),
        Value::String(text) if !text.contains("://") => said.texts.push(text.clone()),
        Value::Number(number) if name.contains("code") => said.names.push(number.to_string()),
        Value::Array(items) if depth > 0 => items.iter().for_each(|item| gather(item, name, listed, depth - 1, said)),
        Value::Object(fields) if depth > 0 => {
            for (written, field) in fields {
                let name = &*written.to_ascii_lowercase().replace('_', "");
                let is_naming = NAMING.contains(&name);
                let is_general = GENERAL.iter().any(|part| name.contains(part));
                let is_list = LISTS.iter().any(|part| name.contains(part));
                if ASIDE.contains(&name) || !(is_general || is_list || listed) {
                    continue;
                }
                if listed && !is_general && !is_list && !is_naming && !field.is_null() {
                    said.names.push(number_named(written));
                }
                gather(field, name, listed || is_list, depth - 1, said);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {}
    }
}

/// A field's name, or the path to it; `to` and `from` alone are the two numbers of a call.
fn number_named(name: &str) -> String {
    let parts = name.split(['.', '/', '[', ']']).map(|part| match part.to_ascii_lowercase().as_str() {
        "to" => "toNumber",
        "from" => "fromNumber",
        _ => part,
    });
    parts.collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// The envelope's `data`, unless the envelope says that there is none.
fn opened(body: &[u8]) -> Result<Value, Malformed> {
    let envelope: Envelope = object(mend::parse(body).ok_or(Malformed)?)?;
    if envelope.success == Some(false) { Err(Malformed) } else { Ok(envelope.data) }
}

/// Reads an object; serde would take a list for one, by position.
fn object<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, Malformed> {
    if !value.is_object() {
        return Err(Malformed);
    }
    serde_json::from_value(value).map_err(|_| Malformed)
}

impl From<ConversationData> for Nameless {
    fn from(data: ConversationData) -> Self {
        let ConversationData { medium, from_number: from, to_number: to, start_time: started, .. } = data;
        Self { medium: Medium::read(medium.as_deref()), from, to, started }
    }
}

fn told(data: ConversationData, id: ConversationId) -> Conversation {
    Conversation {
        id,
        medium: Medium::read(data.medium.as_deref()),
        from: data.from_number,
        to: data.to_number,
        started: data.start_time,
        ended: data.end_time,
        status: status(data.status.as_deref()),
        testimony: Testimony {
            tags: data.conversation_tags,
            topic: data.topic,
            summary: data.summary,
            actions: data.actions_needed,
            duration: data.duration,
        },
    }
}

fn status(word: Option<&str>) -> Status {
    match word.map(|word| word.trim().to_ascii_uppercase()).as_deref() {
        Some("OPEN") => Status::Open,
        Some("CLOSING") => Status::Closing,
        Some("CLOSED") => Status::Closed,
        Some(_) | None => Status::Other,
    }
}

/// An id that can be asked for again: printable ASCII without spaces, and not a path's dots.
fn id_of(text: Option<String>) -> Option<ConversationId> {
    let text = text?;
    let id = text.trim();
    let plausible =
        id.len() <= ID_AT_MOST && id.bytes().all(|byte| byte.is_ascii_graphic()) && !matches!(id, "." | "..");
    (plausible && !id.is_empty()).then(|| ConversationId::new(id))
}

impl NumbersData {
    fn of_list(list: Value) -> Self {
        Self { phone_numbers: lenient::rows(list).ok().flatten(), pagination: Value::Null }
    }

    fn says_of(self, from: E164) -> Option<bool> {
        let rows = self.phone_numbers?;
        if rows.is_empty() {
            // An organisation that shows none of its numbers; whether ours may call, the first call tells.
            return None;
        }
        let listed = rows.len() as u64;
        let numbers: Vec<NumberData> = rows.into_iter().map(|row| object(row).unwrap_or_default()).collect();
        if let Some(ours) = numbers.iter().find(|row| row.number == Some(from)) {
            return ours.outbound;
        }
        let pagination: Pagination = object(self.pagination).unwrap_or_default();
        let complete =
            numbers.iter().all(|row| row.number.is_some()) && pagination.total_count.is_none_or(|n| n <= listed);
        complete.then_some(false)
    }
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
