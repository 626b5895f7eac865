//! Holds HTTP exchanges against docs/orchestrator.yaml: the peer's tests check its answers with it, and the backend's
//! client tests check what the client sent. Knows nothing about any route beyond that document.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("../../../docs/orchestrator.yaml");

/// One exchange as it went over the wire.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub method: String,
    /// Without the query.
    pub path: String,
    /// After the question mark; empty without one.
    pub query: String,
    /// Names of the request headers, lower case. Values may be secret.
    pub headers: Vec<String>,
    /// The request body, `None` if empty.
    pub request: Option<String>,
    pub status: u16,
    pub content_type: Option<String>,
    /// The response body; `None` if it was too large to keep.
    pub response: Option<String>,
}

/// docs/orchestrator.yaml, parsed.
pub struct Contract {
    document: Value,
}

/// The contract as a test would use it: parsed once.
static CONTRACT: LazyLock<Result<Contract, String>> = LazyLock::new(Contract::load);

/// Checks request and response of an exchange.
///
/// # Errors
/// Every way in which the exchange differs from the contract, in words.
pub fn check(exchange: &Exchange) -> Result<(), Vec<String>> {
    let contract = CONTRACT.as_ref().map_err(|error| vec![error.clone()])?;
    let mut problems = contract.check_request(exchange);
    problems.extend(contract.check_response(exchange));
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

impl Contract {
    /// Parses the document that was compiled in.
    pub fn load() -> Result<Self, String> {
        let document = serde_saphyr::from_str(DOCUMENT)
            .map_err(|error| format!("orchestrator.yaml: {error}"))?;
        Ok(Self { document })
    }

    /// Method (upper case) and path template of every operation.
    #[must_use]
    pub fn operations(&self) -> Vec<(String, String)> {
        let mut operations = Vec::new();
        for (path, item) in self
            .document
            .get("paths")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            for method in item.as_object().into_iter().flat_map(serde_json::Map::keys) {
                operations.push((method.to_uppercase(), path.clone()));
            }
        }
        operations
    }

    /// Every schema compiles and every reference leads somewhere.
    #[must_use]
    pub fn check_itself(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for name in self
            .document
            .pointer("/components/schemas")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            if let Err(error) =
                self.validator(&json!({"$ref": format!("#/components/schemas/{}", name.0)}))
            {
                problems.push(format!("schema {}: {error}", name.0));
            }
        }
        self.dangling(&self.document, &mut problems);
        problems
    }

    fn dangling(&self, value: &Value, problems: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref")
                    && self
                        .document
                        .pointer(reference.trim_start_matches('#'))
                        .is_none()
                {
                    problems.push(format!("{reference} leads nowhere"));
                }
                fields
                    .values()
                    .for_each(|field| self.dangling(field, problems));
            }
            Value::Array(items) => items.iter().for_each(|item| self.dangling(item, problems)),
            _ => {}
        }
    }

    /// What of the request differs from the contract.
    #[must_use]
    pub fn check_request(&self, exchange: &Exchange) -> Vec<String> {
        let Some((_, operation, in_path)) = self.find(exchange) else {
            return vec![format!(
                "{} {} is not in the contract",
                exchange.method, exchange.path
            )];
        };
        let mut problems = self.check_parameters(exchange, operation, &in_path);
        let declared = operation.get("requestBody");
        let required = declared
            .and_then(|body| body.get("required"))
            .and_then(Value::as_bool)
            .unwrap_or(false);
        match (declared, &exchange.request) {
            (None, Some(_)) => {
                problems.push("the request has a body, but none is declared".to_owned())
            }
            (Some(_), None) if required => problems.push("the request has no body".to_owned()),
            (Some(declared), Some(body)) => {
                if let Some(schema) = declared.pointer("/content/application~1json/schema") {
                    problems.extend(self.check_json(schema, body, "request"));
                }
            }
            _ => {}
        }
        problems
    }

    fn check_parameters(
        &self,
        exchange: &Exchange,
        operation: &Value,
        in_path: &BTreeMap<String, String>,
    ) -> Vec<String> {
        let query: BTreeMap<&str, &str> = exchange
            .query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .filter_map(|pair| pair.split_once('='))
            .collect();
        let mut known = Vec::new();
        let mut problems = Vec::new();
        for declared in operation
            .get("parameters")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let declared = self.resolve(declared);
            let text = |field: &str| {
                declared
                    .get(field)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            let name = text("name");
            let required = declared
                .get("required")
                .and_then(Value::as_bool)
                .unwrap_or(false);
            let value = match text("in") {
                "header" => {
                    if required && !exchange.headers.contains(&name.to_lowercase()) {
                        problems.push(format!("header {name} is missing"));
                    }
                    continue;
                }
                "query" => {
                    known.push(name);
                    query.get(name).map(|value| value.replace("%3A", ":"))
                }
                _ => in_path.get(name).cloned(),
            };
            match (value, declared.get("schema")) {
                (None, _) if required => problems.push(format!("parameter {name} is missing")),
                (Some(value), Some(schema)) => {
                    let number = schema.get("type").and_then(Value::as_str) == Some("integer");
                    let parsed = value
                        .parse::<i64>()
                        .ok()
                        .filter(|_| number)
                        .map_or(json!(value), |number| json!(number));
                    problems.extend(self.check_value(
                        schema,
                        &parsed,
                        &format!("parameter {name}"),
                    ));
                }
                _ => {}
            }
        }
        problems.extend(
            query
                .keys()
                .filter(|name| !known.contains(name))
                .map(|name| format!("unknown parameter {name}")),
        );
        problems
    }

    /// What of the response differs from the contract.
    #[must_use]
    pub fn check_response(&self, exchange: &Exchange) -> Vec<String> {
        let Some((_, operation, _)) = self.find(exchange) else {
            return vec![format!(
                "{} {} is not in the contract",
                exchange.method, exchange.path
            )];
        };
        let Some(declared) = operation
            .get("responses")
            .and_then(|all| all.get(exchange.status.to_string()))
        else {
            return vec![format!("status {} is not in the contract", exchange.status)];
        };
        let content = self
            .resolve(declared)
            .get("content")
            .and_then(Value::as_object);
        let Some(body) = &exchange.response else {
            return Vec::new();
        };
        let Some(content) = content else {
            return if body.is_empty() {
                Vec::new()
            } else {
                vec!["the response has a body, but none is declared".to_owned()]
            };
        };
        let sent = exchange.content_type.as_deref().unwrap_or_default();
        let Some(declared) = content.get(sent) else {
            return vec![format!("content type {sent:?} is not in the contract")];
        };
        let Some(schema) = declared.get("schema") else {
            return Vec::new();
        };
        if sent == "application/x-ndjson" {
            return body
                .lines()
                .flat_map(|line| self.check_json(schema, line, "response line"))
                .collect();
        }
        self.check_json(schema, body, "response")
    }

    /// The path template, operation and path parameters of an exchange. A literal path wins over a parameter.
    fn find(&self, exchange: &Exchange) -> Option<(&str, &Value, BTreeMap<String, String>)> {
        let method = exchange.method.to_lowercase();
        let paths = self.document.get("paths")?.as_object()?;
        paths
            .iter()
            .filter_map(|(template, item)| {
                Some((
                    template,
                    item.get(&method)?,
                    matches(template, &exchange.path)?,
                ))
            })
            .min_by_key(|(_, _, in_path)| in_path.len())
            .map(|(template, operation, in_path)| (template.as_str(), operation, in_path))
    }

    /// The path template that an exchange belongs to.
    #[must_use]
    pub fn template(&self, exchange: &Exchange) -> Option<&str> {
        self.find(exchange).map(|(template, _, _)| template)
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        value
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| self.document.pointer(reference.trim_start_matches('#')))
            .unwrap_or(value)
    }

    fn check_json(&self, schema: &Value, text: &str, what: &str) -> Vec<String> {
        match serde_json::from_str(text) {
            Ok(value) => self.check_value(schema, &value, what),
            Err(error) => vec![format!("{what} is not JSON: {error}")],
        }
    }

    fn check_value(&self, schema: &Value, value: &Value, what: &str) -> Vec<String> {
        match self.validator(schema) {
            Ok(validator) => validator
                .iter_errors(value)
                .map(|error| format!("{what} {}: {error}", error.instance_path()))
                .collect(),
            Err(error) => vec![format!("{what}: {error}")],
        }
    }

    /// A validator for a schema of the document, with the components beside it so that local references resolve.
    fn validator(&self, schema: &Value) -> Result<jsonschema::Validator, String> {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": self.document.get("components"),
            "allOf": [schema],
        });
        jsonschema::options()
            .should_validate_formats(true)
            .build(&whole)
            .map_err(|error| format!("the schema is not valid: {error}"))
    }
}

/// The path parameters if `path` has the form of `template`.
fn matches(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    if template.split('/').count() != path.split('/').count() {
        return None;
    }
    let mut in_path = BTreeMap::new();
    for (wanted, got) in template.split('/').zip(path.split('/')) {
        if let Some(name) = wanted
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            in_path.insert(name.to_owned(), got.to_owned());
        } else if wanted != got {
            return None;
        }
    }
    Some(in_path)
}
