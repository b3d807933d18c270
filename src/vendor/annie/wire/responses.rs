//! Response bodies.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use crate::entry::{OutcomeSignals, TranscriptMessage};
use crate::ids::ConversationId;
use crate::phone::E164;
use crate::vendor::http::{lenient, lossy_json};
use crate::vendor::{Conversation, Medium, Page, RowWithoutId, Status};

/// The longest conversation id that is accepted, in bytes; a UUID has 36.
const MAX_ID_BYTES: usize = 128;

/// How deep an error body is searched for texts.
const MAX_ERROR_DEPTH: usize = 6;

/// The body does not match the contract. It carries no detail, since a body may hold a patient's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the response does not match the API contract")]
pub struct MalformedBody;

/// A token from the token endpoint.
#[derive(Debug)]
pub struct TokenGrant {
    /// The token, as sent after `Bearer`.
    pub secret: SecretString,
    /// Its lifetime in seconds, if the response says.
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
    #[serde(deserialize_with = "lenient::said_list")]
    conversation_tags: Vec<String>,
    #[serde(deserialize_with = "lenient::said")]
    topic: Option<String>,
    #[serde(deserialize_with = "lenient::said")]
    summary: Option<String>,
    #[serde(deserialize_with = "lenient::said_list")]
    actions_needed: Vec<String>,
    #[serde(deserialize_with = "lenient::number")]
    duration: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MessagesData {
    #[serde(deserialize_with = "lenient::rows")]
    messages: Option<Vec<Value>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct MessageData {
    #[serde(deserialize_with = "lenient::text")]
    role: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    content: Option<String>,
    #[serde(deserialize_with = "lenient::instant")]
    created_at: Option<DateTime<Utc>>,
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

/// `POST /calls`, 2xx: the new conversation's id. A response with `"success": false` and an id contradicts itself, so
/// it is malformed.
pub fn placed_conversation(body: &[u8]) -> Result<ConversationId, MalformedBody> {
    let data: PlacedData = object(unwrap_envelope(body)?)?;
    parse_id(data.conversation_id).ok_or(MalformedBody)
}

/// `GET /conversations`, 2xx. A row without a readable id keeps its other readable fields.
pub fn page(body: &[u8]) -> Result<Page, MalformedBody> {
    let data: PageData = object(unwrap_envelope(body)?)?;
    let pagination: Pagination = object(data.pagination).unwrap_or_default();
    let mut page = Page { total: pagination.total_count, ..Page::default() };
    for row in data.conversations.ok_or(MalformedBody)? {
        let mut row: ConversationData = object(row).unwrap_or_default();
        match parse_id(row.conversation_id.take()) {
            Some(id) => page.conversations.push(to_conversation(row, id)),
            None => page.rows_without_id.push(row.into()),
        }
    }
    Ok(page)
}

/// `GET /conversations/{id}`, 2xx. The id may be missing; a different one makes the response malformed.
pub fn conversation(body: &[u8], requested: &ConversationId) -> Result<Conversation, MalformedBody> {
    let data: ConversationData = object(unwrap_envelope(body)?)?;
    match &data.conversation_id {
        Some(id) if !id.trim().eq_ignore_ascii_case(requested.as_str()) => Err(MalformedBody),
        Some(_) | None => Ok(to_conversation(data, requested.clone())),
    }
}

/// `GET /conversations/{id}/messages`, 2xx: the messages, by time if each has one. A row that is no object stays,
/// without a text.
pub fn messages(body: &[u8]) -> Result<Vec<TranscriptMessage>, MalformedBody> {
    let data = unwrap_envelope(body)?;
    let rows = if let Value::Array(rows) = data {
        rows
    } else {
        object::<MessagesData>(data)?.messages.ok_or(MalformedBody)?
    };
    let message = |row| {
        let MessageData { role, content, created_at } = object(row).unwrap_or_default();
        TranscriptMessage { role, text: content, at: created_at }
    };
    let mut messages: Vec<TranscriptMessage> = rows.into_iter().map(message).collect();
    if messages.iter().all(|message| message.at.is_some()) {
        messages.sort_by_key(|message| message.at);
    }
    Ok(messages)
}

/// `GET /phone-numbers`, 2xx: whether the caller id `from` is enabled for outbound calls; `None` if the response does
/// not say. The shape is known from an example only, so a different shape gives `None` instead of an error.
pub fn may_call_from(body: &[u8], from: E164) -> Result<Option<bool>, MalformedBody> {
    let data = unwrap_envelope(body)?;
    let list = if data.is_array() { NumbersData::from_list(data) } else { object(data).unwrap_or_default() };
    Ok(list.may_call_from(from))
}

/// The token endpoint, 2xx.
pub fn token(body: &[u8]) -> Result<TokenGrant, MalformedBody> {
    let data: TokenData = object(lossy_json::parse(body).ok_or(MalformedBody)?)?;
    let secret = data.access_token.ok_or(MalformedBody)?.into();
    Ok(TokenGrant { secret, expires_in: data.expires_in })
}

/// The texts of an error body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// Its texts. They may contain a number or a patient's name, so they are shown only after
    /// [`crate::vendor::http::quote`].
    texts: Vec<String>,
    /// Names of request fields, and error codes: they tell what a text is about.
    names: Vec<String>,
}

impl ErrorBody {
    /// The texts to show, joined.
    #[must_use]
    pub fn quoted(&self) -> String {
        self.texts.join(" · ")
    }

    /// The names and texts that tell what a refusal is about, joined.
    #[must_use]
    pub fn searched(&self) -> String {
        self.names.iter().chain(&self.texts).map(String::as_str).collect::<Vec<_>>().join(" / ")
    }
}

/// The texts of an error body of any shape: those in its JSON, or a plain text. A web page has none.
#[must_use]
pub fn parse_error_body(body: &[u8]) -> ErrorBody {
    let mut error = ErrorBody::default();
    match lossy_json::parse(body) {
        Some(value) => collect_texts(&value, "", false, MAX_ERROR_DEPTH, &mut error),
        None if is_web_page(body) => {}
        None => error.texts.push(String::from_utf8_lossy(body).trim().to_owned()),
    }
    error
}

/// Whether a body is an HTML page: from a proxy, a gateway or a login.
#[must_use]
pub fn is_web_page(body: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&body[..body.len().min(PAGE_START_BYTES)]).to_ascii_lowercase();
    let start = start.trim_start_matches('\u{feff}').trim_start();
    ["<!doctype", "<html", "<head", "<body", "<title", "<!--", "<center", "<h1"]
        .iter()
        .any(|tag| start.starts_with(tag))
}

/// How much of a body is checked for an HTML tag, in bytes.
const PAGE_START_BYTES: usize = 256;

/// Parts of the names of fields that give the reason for an error.
const REASON_FIELDS: [&str; 15] = [
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

/// Parts of the names of fields whose own fields are the request fields with an error.
const LIST_FIELDS: [&str; 9] =
    ["error", "fault", "detail", "fields", "violation", "issue", "validation", "invalid", "param"];

/// Fields about the exchange, not about the error.
const EXCHANGE_FIELDS: [&str; 7] = ["status", "statuscode", "timestamp", "requestid", "traceid", "instance", "id"];

/// Fields whose value is the name of a request field with an error.
const FIELD_NAME_FIELDS: [&str; 11] =
    ["field", "param", "parameter", "property", "attribute", "target", "source", "pointer", "loc", "path", "name"];

/// Collects the texts of an error. A field with any other name counts only inside a list of fields in error (`listed`):
/// elsewhere it may be an echo of the request.
fn collect_texts(value: &Value, name: &str, listed: bool, depth: usize, error: &mut ErrorBody) {
    match value {
        Value::String(text) if listed && FIELD_NAME_FIELDS.contains(&name) => error.names.push(field_path(text)),
        Value::String(text) if !text.contains("://") => error.texts.push(text.clone()),
        Value::Number(number) if name.contains("code") => error.names.push(number.to_string()),
        Value::Array(items) if depth > 0 => {
            for item in items {
                collect_texts(item, name, listed, depth - 1, error);
            }
        }
        Value::Object(fields) if depth > 0 => {
            for (key, field) in fields {
                let name = &*key.to_ascii_lowercase().replace('_', "");
                let is_field_name = FIELD_NAME_FIELDS.contains(&name);
                let is_reason = REASON_FIELDS.iter().any(|part| name.contains(part));
                let is_list = LIST_FIELDS.iter().any(|part| name.contains(part));
                if EXCHANGE_FIELDS.contains(&name) || !(is_reason || is_list || listed) {
                    continue;
                }
                if listed && !is_reason && !is_list && !is_field_name && !field.is_null() {
                    error.names.push(field_path(key));
                }
                collect_texts(field, name, listed || is_list, depth - 1, error);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {}
    }
}

/// A field's name or path as words; `to` and `from` alone mean the two numbers of a call.
fn field_path(name: &str) -> String {
    let parts = name.split(['.', '/', '[', ']']).map(|part| match part.to_ascii_lowercase().as_str() {
        "to" => "toNumber",
        "from" => "fromNumber",
        _ => part,
    });
    parts.collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// The envelope's `data`, unless the envelope says `"success": false`.
fn unwrap_envelope(body: &[u8]) -> Result<Value, MalformedBody> {
    let envelope: Envelope = object(lossy_json::parse(body).ok_or(MalformedBody)?)?;
    if envelope.success == Some(false) { Err(MalformedBody) } else { Ok(envelope.data) }
}

/// Reads an object. serde alone would also accept a list, by position.
fn object<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, MalformedBody> {
    if !value.is_object() {
        return Err(MalformedBody);
    }
    serde_json::from_value(value).map_err(|_| MalformedBody)
}

impl From<ConversationData> for RowWithoutId {
    fn from(data: ConversationData) -> Self {
        let ConversationData { medium, from_number: from, to_number: to, start_time: started, .. } = data;
        Self { medium: Medium::read(medium.as_deref()), from, to, started }
    }
}

fn to_conversation(data: ConversationData, id: ConversationId) -> Conversation {
    Conversation {
        id,
        medium: Medium::read(data.medium.as_deref()),
        from: data.from_number,
        to: data.to_number,
        started: data.start_time,
        ended: data.end_time,
        status: status(data.status.as_deref()),
        signals: OutcomeSignals {
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

/// An id that can be used in a path: printable ASCII without spaces, and not `.` or `..`.
fn parse_id(text: Option<String>) -> Option<ConversationId> {
    let text = text?;
    let id = text.trim();
    let is_usable =
        id.len() <= MAX_ID_BYTES && id.bytes().all(|byte| byte.is_ascii_graphic()) && !matches!(id, "." | "..");
    (is_usable && !id.is_empty()).then(|| ConversationId::written(id))
}

impl NumbersData {
    fn from_list(list: Value) -> Self {
        Self { phone_numbers: lenient::rows(list).ok().flatten(), pagination: Value::Null }
    }

    fn may_call_from(self, from: E164) -> Option<bool> {
        let rows = self.phone_numbers?;
        if rows.is_empty() {
            // The organisation shows none of its numbers. The first call will tell.
            return None;
        }
        let listed = rows.len() as u64;
        let numbers: Vec<NumberData> = rows.into_iter().map(|row| object(row).unwrap_or_default()).collect();
        if let Some(ours) = numbers.iter().find(|row| row.number == Some(from)) {
            return ours.outbound;
        }
        let pagination: Pagination = object(self.pagination).unwrap_or_default();
        let is_complete =
            numbers.iter().all(|row| row.number.is_some()) && pagination.total_count.is_none_or(|n| n <= listed);
        is_complete.then_some(false)
    }
}

#[cfg(test)]
#[path = "responses_tests.rs"]
mod tests;
