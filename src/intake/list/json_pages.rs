//! Pages: whether a JSON list says of itself that it is not the whole list.
//!
//! Services answer a page at a time and say in the page, each in its own words, whether there are others: links, tokens,
//! totals, page numbers. A page alone would silently leave out the patients of the others. Several pages one after the
//! other are a list if they prove that they are all.

use serde::Deserialize;
use serde_json::Value;

use super::json_walk::{JsonStep, JsonWalk};
use super::row::RowUnit;
use crate::intake::error::{ListError, PageKind};

/// The maximum size of a member that can describe the page, in bytes.
const MAX_MEMBER_BYTES: usize = 1 << 16;

/// Objects nested deeper than this do not describe the page.
const MAX_DEPTH: usize = 5;

/// The maximum number of pages that can prove together to be all.
const MAX_PAGES: usize = 100_000;

/// Refuses a list that is not all of its pages. Returns what the numbers of its rows count.
pub(super) fn require_all_pages(mut walk: JsonWalk) -> Result<RowUnit, ListError> {
    let mut around: Vec<PageFacts> = Vec::new();
    let mut pages = Vec::new();
    let (mut line, mut unit) = (0, RowUnit::Line);
    while let Some(step) = walk.step()? {
        match step {
            JsonStep::Enter => around.push(PageFacts::default()),
            JsonStep::Member(key) => {
                let element = walk.value()?;
                if let Some(page) = around.last_mut()
                    && element.text.len() <= MAX_MEMBER_BYTES
                    && let Ok(value) = serde_json::from_slice(element.text)
                {
                    page.add_member(&key, &value);
                }
            }
            JsonStep::Row => {
                let element = walk.value()?;
                if std::mem::replace(&mut line, element.line) == element.line {
                    unit = RowUnit::Element;
                }
                if let Some(page) = around.last_mut() {
                    page.add_row(element.text);
                }
            }
            JsonStep::Leave => {
                let Some(page) = around.pop() else { continue };
                if let Some(outer) = around.last_mut() {
                    outer.rows += page.rows;
                    outer.matches += page.matches;
                }
                if page.says_something() && pages.len() < MAX_PAGES {
                    pages.push(page);
                }
            }
        }
    }
    judge(&pages).map(|()| unit)
}

/// Refuses an object that only describes a page, as some services write one before or after the rows.
pub(super) fn require_last_page(members: &Value) -> Result<(), ListError> {
    let mut page = PageFacts::default();
    for (key, value) in members.as_object().into_iter().flatten() {
        page.add_member(key, value);
    }
    // Its rows were not counted.
    page.total = None;
    judge(&[page])
}

fn judge(pages: &[PageFacts]) -> Result<(), ListError> {
    let Some((kind, sign)) = pages.iter().find_map(|page| Some((page.kind(), page.sign()?))) else { return Ok(()) };
    if pages.len() > 1 && (is_chain(pages) || are_numbered(pages) || is_total_reached(pages)) {
        return Ok(());
    }
    Err(ListError::OnePage { kind, sign })
}

/// Whether each page's next page follows it, from the first to the last.
fn is_chain(pages: &[PageFacts]) -> bool {
    let follows = |pair: &[PageFacts]| pair[0].next.is_some() && pair[0].next == pair[1].own;
    let is_last = pages.last().is_some_and(|page| page.next.is_none() && page.after.is_none());
    let is_first = pages.first().is_some_and(|page| page.before.is_none());
    is_first && is_last && pages.windows(2).all(follows)
}

/// Whether the pages have the numbers from the first to the last.
fn are_numbered(pages: &[PageFacts]) -> bool {
    let first = pages.first().and_then(|page| page.number).unwrap_or(2);
    let numbered = (first..).zip(pages).all(|(number, page)| page.number == Some(number));
    let last = (first + pages.len() as u64).saturating_sub(u64::from(first != 0));
    first <= 1 && numbered && pages.iter().all(|page| page.of_pages == Some(last))
}

/// Whether the rows of all pages are as many as each says there are, and no page is there twice.
fn is_total_reached(pages: &[PageFacts]) -> bool {
    let total = pages.first().and_then(|page| page.total.as_ref()).map(|(_, total)| *total);
    let same = pages.iter().all(|page| page.total.as_ref().map(|(_, total)| *total) == total);
    let mut starts: Vec<u64> = pages.iter().filter_map(|page| page.start.or(page.number)).collect();
    starts.sort_unstable();
    starts.dedup();
    let rows: u64 = pages.iter().map(PageFacts::counted_rows).sum();
    same && total == Some(rows) && starts.len() == pages.len()
}

/// What a page says about itself.
#[derive(Default)]
struct PageFacts {
    resource_type: String,
    rows: u64,
    /// The rows of a FHIR Bundle that a search has found, without those that it includes besides.
    matches: u64,
    /// Why there are rows after this page, or before it; each as it is shown.
    after: Option<String>,
    before: Option<String>,
    /// A token that may lead to further rows, unless the page says that there are none.
    token: Option<String>,
    /// The page says that there are no further rows.
    is_last: bool,
    /// The number of rows that there are, with the words for it.
    total: Option<(String, u64)>,
    /// The rows before this page.
    start: Option<u64>,
    number: Option<u64>,
    of_pages: Option<u64>,
    next: Option<String>,
    own: Option<String>,
}

/// The part of a Bundle's entry that says why it is there.
#[derive(Deserialize)]
struct EntryMode {
    search: Option<SearchMode>,
}

#[derive(Deserialize)]
struct SearchMode {
    mode: Option<String>,
}

impl PageFacts {
    fn is_bundle(&self) -> bool {
        self.resource_type == "Bundle"
    }

    fn kind(&self) -> PageKind {
        if self.is_bundle() { PageKind::FhirSearch } else { PageKind::Other }
    }

    fn add_row(&mut self, text: &[u8]) {
        self.rows += 1;
        let says_why = std::str::from_utf8(text).is_ok_and(|text| text.contains("\"search\""));
        let entry = if says_why { serde_json::from_slice::<EntryMode>(text).ok() } else { None };
        let mode = entry.and_then(|entry| entry.search?.mode);
        self.matches += u64::from(mode.is_none_or(|mode| mode == "match"));
    }

    fn counted_rows(&self) -> u64 {
        if self.is_bundle() { self.matches } else { self.rows }
    }

    fn says_something(&self) -> bool {
        self.sign().is_some() || self.next.is_some() || self.own.is_some() || self.number.is_some()
    }

    /// What says that there are other pages.
    fn sign(&self) -> Option<String> {
        let rows = self.counted_rows();
        let start = self.start.unwrap_or(0);
        let too_few = |(name, total): &(String, u64)| {
            (*total > start + rows).then(|| format!("`{name}` is {total}, and it has {rows}"))
        };
        let pages = self.of_pages.filter(|count| {
            let number = self.number.unwrap_or(1);
            *count > number.max(1)
        });
        self.after
            .clone()
            .or_else(|| self.token.clone().filter(|_| !self.is_last))
            .or_else(|| self.before.clone())
            .or_else(|| self.total.as_ref().and_then(too_few))
            .or_else(|| pages.map(|count| format!("it is one of {count} pages")))
    }

    fn add_member(&mut self, key: &str, value: &Value) {
        if key == "resourceType" {
            value.as_str().unwrap_or_default().clone_into(&mut self.resource_type);
        }
        self.add(&mut vec![key.to_owned()], value);
    }

    fn add(&mut self, path: &mut Vec<String>, value: &Value) {
        match value {
            Value::Object(members) if path.len() < MAX_DEPTH => {
                for (key, member) in members {
                    path.push(key.clone());
                    self.add(path, member);
                    path.pop();
                }
            }
            Value::Array(links) if path.len() < MAX_DEPTH => {
                for link in links.iter().filter_map(Value::as_object) {
                    let named = |names: &[&str]| names.iter().find_map(|name| link.get(*name));
                    let Some(relation) = named(&["relation", "rel", "label"]).and_then(Value::as_str) else { continue };
                    path.push(relation.to_owned());
                    let target = named(&["url", "href", "uri"]).unwrap_or(&Value::Bool(true));
                    self.add(path, target);
                    path.pop();
                }
            }
            Value::Object(_) | Value::Array(_) => {}
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => self.add_fact(path, value),
        }
    }

    fn add_fact(&mut self, path: &[String], value: &Value) {
        let names: Vec<String> = path.iter().map(|name| normalized(name)).collect();
        let Some((leaf, around)) = names.split_last() else { return };
        let shown = || format!("`{}`", path.join("."));
        let relation = names.iter().find_map(|name| Relation::from_name(name));
        if let Some(relation) = relation.filter(|_| !matches!(leaf.as_str(), "templated" | "method" | "type" | "title"))
        {
            return self.add_relation(relation, &shown(), value);
        }
        if leaf == "self" || around.last().is_some_and(|name| name == "self") {
            self.own = value.as_str().map(ToOwned::to_owned).or(self.own.take());
        } else if HAS_MORE.contains(&leaf.as_str()) {
            match as_bool(value) {
                Some(true) => self.after = Some(format!("{} is true", shown())),
                Some(false) => self.is_last |= !leaf.contains("prev"),
                None => {}
            }
        } else if IS_END.contains(&leaf.as_str()) && as_bool(value).is_some() {
            let is_end = as_bool(value) == Some(true);
            let is_first = leaf.contains("first");
            self.is_last |= is_end && !is_first;
            let sign = (!is_end).then(|| format!("{} is false", shown()));
            if is_first { self.before = sign.or(self.before.take()) } else { self.after = sign.or(self.after.take()) }
        } else if TOKENS.contains(&leaf.as_str()) && is_filled(value) {
            self.token = Some(format!("{} is not empty", shown()));
        } else if around.iter().all(|name| describes_pages(name)) {
            self.add_count(leaf, around, &shown(), value);
        }
    }

    fn add_relation(&mut self, relation: Relation, shown: &str, value: &Value) {
        if !is_filled(value) {
            self.is_last |= relation == Relation::Next;
            return;
        }
        match relation {
            Relation::Next => {
                self.next = value.as_str().map(ToOwned::to_owned);
                self.after = Some(format!("{shown} is not empty"));
            }
            Relation::Previous => self.before = Some(format!("{shown} is not empty")),
        }
    }

    /// Adds a number of rows or pages.
    fn add_count(&mut self, leaf: &str, around: &[String], shown: &str, value: &Value) {
        let Some(number) = as_count(value) else { return };
        let is_total_object = leaf == "value" && around.last().is_some_and(|name| TOTALS.contains(&name.as_str()));
        let counts_from_one = STARTS_FROM_ONE.contains(&leaf);
        if TOTALS.contains(&leaf) || is_total_object {
            if self.total.as_ref().is_none_or(|(_, total)| number > *total) {
                self.total = Some((shown.trim_matches('`').to_owned(), number));
            }
        } else if counts_from_one || STARTS.contains(&leaf) {
            let rows_before = number.saturating_sub(u64::from(counts_from_one));
            self.start = Some(rows_before);
            if rows_before > 0 {
                self.before = Some(format!("{shown} is {number}"));
            }
        } else if PAGE_NUMBERS.contains(&leaf) || (leaf == "number" && !around.is_empty()) {
            self.number = Some(number);
            let first = u64::from(!matches!(leaf, "pageindex" | "number"));
            if number > first {
                self.before = Some(format!("{shown} is {number}"));
            }
        } else if PAGE_COUNTS.contains(&leaf) {
            self.of_pages = Some(number);
        } else if REMAINING.contains(&leaf) && number > 0 {
            self.after = Some(format!("{shown} is {number}"));
        }
    }
}

/// The direction of a link to another page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Next,
    Previous,
}

impl Relation {
    /// `next`, `nextPageToken`, `@odata.nextLink`, `previous_url`, `Next &raquo;`.
    fn from_name(name: &str) -> Option<Self> {
        let name = name.strip_prefix("odata").unwrap_or(name);
        let name = name.strip_prefix("laquo").unwrap_or(name);
        let previous = ["previous", "prev"].iter().find_map(|start| name.strip_prefix(start));
        let (relation, rest) = match (name.strip_prefix("next"), previous) {
            (Some(rest), _) => (Self::Next, rest),
            (None, Some(rest)) => (Self::Previous, rest),
            (None, None) => return None,
        };
        let is_link = rest.is_empty()
            || rest == "raquo"
            || ["page", "link", "url", "uri", "href", "token", "cursor", "offset", "record", "start", "skip", "batch"]
                .iter()
                .chain(&["result", "marker", "key", "index", "set", "path", "query"])
                .any(|word| rest.starts_with(word));
        is_link.then_some(relation)
    }
}

/// Names of flags that are true if there are further rows.
const HAS_MORE: [&str; 23] = [
    "hasmore",
    "hasnext",
    "hasnextpage",
    "hasmorepages",
    "hasmoreresults",
    "hasmorerecords",
    "hasmoreitems",
    "hasmoredata",
    "hasmorerows",
    "hasnextlink",
    "morerecords",
    "moreresults",
    "moreavailable",
    "more",
    "ismore",
    "istruncated",
    "truncated",
    "partial",
    "ispartial",
    "incomplete",
    "incompleteresults",
    "hasprevious",
    "haspreviouspage",
];

/// Names of flags that are false if there are further rows, or rows before these.
const IS_END: [&str; 14] = [
    "last",
    "islast",
    "islastpage",
    "lastpage",
    "done",
    "isdone",
    "complete",
    "iscomplete",
    "finished",
    "endoflist",
    "allrecordsreturned",
    "first",
    "isfirst",
    "isfirstpage",
];

const TOKENS: [&str; 16] = [
    "pagetoken",
    "cursor",
    "endcursor",
    "aftercursor",
    "cursorafter",
    "scrollid",
    "continuationtoken",
    "continuation",
    "continuetoken",
    "continue",
    "marker",
    "after",
    "lastevaluatedkey",
    "resumptiontoken",
    "skiptoken",
    "odataskiptoken",
];

const TOTALS: [&str; 28] = [
    "total",
    "totalcount",
    "totalrecords",
    "totalresults",
    "totalitems",
    "totalelements",
    "totalrows",
    "totalhits",
    "totalsize",
    "totalentries",
    "totalpatients",
    "totalrowcount",
    "totalrecordcount",
    "recordstotal",
    "recordcount",
    "rowcount",
    "resultcount",
    "itemcount",
    "itemstotal",
    "numfound",
    "numresults",
    "numberofrecords",
    "numberofresults",
    "odatacount",
    "count",
    "hitcount",
    "patientcount",
    "totalnumber",
];

const STARTS: [&str; 7] = ["offset", "skip", "start", "skipcount", "recordoffset", "startat", "pageoffset"];

const STARTS_FROM_ONE: [&str; 7] =
    ["startindex", "startrow", "from", "fromrow", "startrecord", "firstrow", "firstrecord"];

const PAGE_NUMBERS: [&str; 8] =
    ["page", "pagenumber", "pagenum", "pageno", "currentpage", "pagecurrent", "pageindex", "current"];

const PAGE_COUNTS: [&str; 9] = [
    "pages",
    "totalpages",
    "pagecount",
    "pagestotal",
    "lastpage",
    "numpages",
    "numberofpages",
    "totalpagecount",
    "pagetotal",
];

const REMAINING: [&str; 4] = ["remaining", "remainingcount", "recordsremaining", "remainingrecords"];

/// Whether an object of this name is about pages, so that numbers in it are counts of rows and pages.
fn describes_pages(name: &str) -> bool {
    const PARTS: [&str; 16] = [
        "meta", "pag", "link", "cursor", "info", "result", "response", "hits", "query", "request", "list", "search",
        "header", "data", "total", "summary",
    ];
    PARTS.iter().any(|part| name.contains(part))
}

/// A name without case and punctuation.
fn normalized(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.trim().to_ascii_lowercase().as_str(), "" | "null" | "none" | "false"),
        Value::Bool(true) | Value::Array(_) | Value::Object(_) => true,
    }
}

fn as_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::Number(number) => number.as_u64().filter(|number| *number <= 1).map(|number| number == 1),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "1" => Some(true),
            "false" | "no" | "n" | "0" => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number, also as a text or with a decimal point.
fn as_count(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => {
            number.as_u64().or_else(|| number.as_f64().filter(|n| n.fract() == 0.0 && *n >= 0.0).map(|n| n as u64))
        }
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
