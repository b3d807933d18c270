//! The tokens of a template with their byte offsets. Minijinja's errors give lines only; these tokens locate the filter
//! or variable at fault. The lexer covers just enough of the grammar for that.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// `{{` or `{%`, with the `-` or `+` that follows.
    Open,
    /// `}}` or `%}`.
    Close,
    /// A name or keyword.
    Word,
    /// A quoted text, with its quotes.
    Quoted,
    /// Any other single character.
    Sign,
}

/// A token inside a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TagToken<'s> {
    pub(super) kind: TokenKind,
    pub(super) text: &'s str,
    /// The byte offset in the source.
    pub(super) at: usize,
}

impl TagToken<'_> {
    /// The byte range in the source.
    pub(super) fn span(&self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    fn is_sign(&self, sign: &str) -> bool {
        self.kind == TokenKind::Sign && self.text == sign
    }

    fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text == word
    }
}

/// All tokens inside tags. Text between tags, comments and raw blocks are skipped.
pub(super) fn tokens(source: &str) -> Vec<TagToken<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = source[at..].find('{').map(|ahead| at + ahead) {
        let rest = &source[open..];
        at = if rest.starts_with("{#") {
            rest.find("#}").map_or(source.len(), |end| open + end + 2)
        } else if rest.starts_with("{{") || rest.starts_with("{%") {
            tag(source, open, &mut found)
        } else {
            open + 1
        };
        at = after_raw(source, at, &found);
    }
    found
}

/// Reads the tag that opens at `open`. Returns the offset of its end.
fn tag<'s>(source: &'s str, open: usize, found: &mut Vec<TagToken<'s>>) -> usize {
    let close = if source[open..].starts_with("{{") { "}}" } else { "%}" };
    let marked = source[open + 2..].starts_with(['-', '+']);
    let mut at = open + 2 + usize::from(marked);
    found.push(TagToken { kind: TokenKind::Open, text: &source[open..at], at: open });
    while let Some(next) = source[at..].chars().next() {
        let rest = &source[at..];
        if rest.starts_with(close) {
            found.push(TagToken { kind: TokenKind::Close, text: close, at });
            return at + close.len();
        }
        let (kind, length) = first_token(rest, next);
        if !next.is_whitespace() {
            found.push(TagToken { kind, text: &rest[..length], at });
        }
        at += length;
    }
    at
}

/// The kind and the byte length of the first token of `rest`.
fn first_token(rest: &str, next: char) -> (TokenKind, usize) {
    match next {
        '\'' | '"' => (TokenKind::Quoted, quoted_length(rest, next)),
        c if c.is_alphanumeric() || c == '_' => {
            (TokenKind::Word, rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()))
        }
        c => (TokenKind::Sign, c.len_utf8()),
    }
}

fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Skips to the end of a raw block if the last tag opened one.
fn after_raw(source: &str, at: usize, found: &[TagToken<'_>]) -> usize {
    let ended = found.last().is_some_and(|close| close.kind == TokenKind::Close && close.span().end == at);
    let opened = found.iter().rposition(|token| token.kind == TokenKind::Open);
    let word = opened.and_then(|open| found.get(open + 1));
    if !(ended && word.is_some_and(|word| word.is_word("raw"))) {
        return at;
    }
    source[at..].find("endraw").map_or(source.len(), |end| at + end)
}

/// The names of the used filters, each with its first argument's token if that is a quoted text.
pub(super) fn filters<'t, 's>(tokens: &'t [TagToken<'s>]) -> Vec<(TagToken<'s>, Option<&'t TagToken<'s>>)> {
    let is_filter = |at: usize| {
        let before = |back: usize| at.checked_sub(back).map(|at| tokens[at]);
        before(1).is_some_and(|t| t.is_sign("|"))
            || before(1).is_some_and(|t| t.is_word("filter")) && before(2).is_some_and(|t| t.kind == TokenKind::Open)
    };
    let words = tokens.iter().enumerate().filter(|(at, token)| token.kind == TokenKind::Word && is_filter(*at));
    words
        .map(|(at, token)| {
            let argument = match &tokens[at + 1..] {
                [open, quoted, ..] if open.is_sign("(") && quoted.kind == TokenKind::Quoted => Some(quoted),
                _ => None,
            };
            (*token, argument)
        })
        .collect()
}

/// The names of the used tests: the word after `is` or `is not`.
pub(super) fn tests<'s>(tokens: &[TagToken<'s>]) -> Vec<TagToken<'s>> {
    tokens
        .windows(3)
        .filter_map(|window| match window {
            [is, not, test] if is.is_word("is") && not.is_word("not") => Some(*test),
            [is, test, _] if is.is_word("is") && !test.is_word("not") => Some(*test),
            _ => None,
        })
        .filter(|token| token.kind == TokenKind::Word)
        .collect()
}

/// The names of called functions and methods, except the template's own macros and the methods of `loop`.
pub(super) fn calls<'s>(tokens: &[TagToken<'s>]) -> Vec<TagToken<'s>> {
    let macros: Vec<_> = tokens.windows(2).filter(|pair| pair[0].is_word("macro")).map(|pair| pair[1].text).collect();
    let callable = |name: &str| KEYWORDS.contains(&name) || macros.contains(&name) || name == "caller";
    let is_filter_or_test = |at: usize| {
        at > 0 && (tokens[at - 1].is_sign("|") || ["is", "not", "filter"].iter().any(|w| tokens[at - 1].is_word(w)))
    };
    let of_loop = |at: usize| at > 1 && tokens[at - 1].is_sign(".") && tokens[at - 2].is_word("loop");
    (1..tokens.len())
        .filter(|next| tokens[*next].is_sign("("))
        .map(|next| next - 1)
        .filter(|at| tokens[*at].kind == TokenKind::Word && !callable(tokens[*at].text))
        .filter(|at| !is_filter_or_test(*at) && !of_loop(*at))
        .map(|at| tokens[at])
        .collect()
}

/// The variables with their attributes (`practice.name`) and byte ranges.
pub(super) fn variables(tokens: &[TagToken<'_>]) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if starts_variable(tokens, at) {
            found.push(path(&tokens[at..]));
        }
    }
    found
}

/// The variables without a default or a test: the rendering fails if one of them is undefined.
pub(super) fn unguarded_variables(tokens: &[TagToken<'_>]) -> Vec<(String, Range<usize>)> {
    let is_guarded = |end: usize| {
        let mut after = tokens.iter().skip_while(|token| token.at < end);
        match (after.next(), after.next()) {
            (Some(pipe), Some(word)) if pipe.is_sign("|") => word.is_word("default") || word.is_word("d"),
            (Some(is), Some(_)) => is.is_word("is"),
            _ => false,
        }
    };
    variables(tokens).into_iter().filter(|(_, span)| !is_guarded(span.end)).collect()
}

fn starts_variable(tokens: &[TagToken<'_>], at: usize) -> bool {
    let token = tokens[at];
    let is_name = token.kind == TokenKind::Word
        && !KEYWORDS.contains(&token.text)
        && !token.text.starts_with(|c: char| c.is_ascii_digit());
    let before = at.checked_sub(1).map(|before| tokens[before]);
    let is_other_name =
        before.is_some_and(|t| t.is_sign(".") || t.is_sign("|") || t.is_word("is") || t.is_word("filter"));
    is_name && !is_other_name
}

fn path(tokens: &[TagToken<'_>]) -> (String, Range<usize>) {
    let mut name = tokens[0].text.to_owned();
    let mut end = tokens[0].span().end;
    for pair in tokens[1..].chunks_exact(2) {
        match pair {
            [dot, part] if dot.is_sign(".") && part.kind == TokenKind::Word => {
                name = format!("{name}.{}", part.text);
                end = part.span().end;
            }
            _ => break,
        }
    }
    (name, tokens[0].at..end)
}

const KEYWORDS: &[&str] = &[
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "endfor",
    "in",
    "not",
    "and",
    "or",
    "is",
    "set",
    "endset",
    "with",
    "endwith",
    "filter",
    "endfilter",
    "macro",
    "endmacro",
    "call",
    "endcall",
    "raw",
    "endraw",
    "true",
    "True",
    "false",
    "False",
    "none",
    "None",
    "loop",
    "autoescape",
    "endautoescape",
    "recursive",
    "do",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'s>(found: &[TagToken<'s>]) -> Vec<&'s str> {
        found.iter().map(|token| token.text).collect()
    }

    #[test]
    fn filters_are_found_in_every_kind_of_tag() {
        let source = "{{ a|upper }} | no {% if b | date('%B') %}{% filter shorten(3) %}{{ 'x | not' }}{% endfilter %}\
                      {# c | no #}{% raw %}{{ d | no }}{% endraw %}{{- e | title -}}";
        let tokens = tokens(source);
        let found: Vec<_> = filters(&tokens).into_iter().map(|(t, q)| (t.text, q.map(|q| q.text))).collect();
        assert_eq!(found, [("upper", None), ("date", Some("'%B'")), ("shorten", None), ("title", None)]);
    }

    #[test]
    fn tests_and_calls_are_found() {
        let tokens = tokens(
            "{% if a is defined and b is not divisibleby(3) %}{{ now() }}{{ a.upper() }}{{ (a | f(1)) }}{% endif %}",
        );
        assert_eq!(texts(&tests(&tokens)), ["defined", "divisibleby"]);
        assert_eq!(texts(&calls(&tokens)), ["now", "upper"]);
    }

    #[test]
    fn variables_are_found_with_their_attributes() {
        let source = "{{ a.b.c | default(d) }} {% for m in loop.index %}{{ é }}{% endfor %}";
        let found: Vec<_> = variables(&tokens(source)).into_iter().map(|(name, at)| (name, &source[at])).collect();
        let expected = [("a.b.c", "a.b.c"), ("d", "d"), ("m", "m"), ("é", "é")];
        assert_eq!(found, expected.map(|(name, text)| (name.to_owned(), text)));
    }

    #[test]
    fn a_tag_that_never_ends_is_read_to_the_end() {
        for source in ["{{ a", "{% if 'b", "{#", "{{ a | ", "{{ é\\", "{% raw %}{{"] {
            tokens(source);
        }
        assert_eq!(texts(&tokens("{ {{ a")), ["{{", "a"]);
    }
}
