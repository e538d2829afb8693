//! Methods of Python's texts, lists and maps that responses call: `{0:02d}.format(…)`, `.get(…)`, `.lower()`.
use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

/// Longest text that a method makes, in bytes.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Calls a method that the renderer itself does not know.
pub(super) fn call(
    _state: &State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let unknown = || {
        Error::new(
            ErrorKind::UnknownMethod,
            format!("no method {method} on {}", value.kind()),
        )
    };
    let text_argument = |at: usize| args.get(at).and_then(Value::as_str);
    if let Some(text) = value.as_str() {
        return match method {
            "lower" | "casefold" => Ok(text.to_lowercase().into()),
            "upper" => Ok(text.to_uppercase().into()),
            "title" => Ok(titled(text).into()),
            "capitalize" => Ok(capitalized(text).into()),
            "strip" => Ok(text.trim_matches(|c| strips(c, text_argument(0))).into()),
            "lstrip" => Ok(text
                .trim_start_matches(|c| strips(c, text_argument(0)))
                .into()),
            "rstrip" => Ok(text
                .trim_end_matches(|c| strips(c, text_argument(0)))
                .into()),
            "split" => Ok(match text_argument(0) {
                Some(mark) if !mark.is_empty() => text.split(mark).map(Value::from).collect(),
                _ => text.split_whitespace().map(Value::from).collect(),
            }),
            "replace" => {
                let (from, to) = (
                    text_argument(0).ok_or_else(unknown)?,
                    text_argument(1).ok_or_else(unknown)?,
                );
                if from.is_empty() || text.len().saturating_mul(to.len() + 1) > TEXT_BYTES_MAX {
                    return Err(Error::new(
                        ErrorKind::InvalidOperation,
                        "the text would be too long",
                    ));
                }
                Ok(text.replace(from, to).into())
            }
            "startswith" => Ok(text
                .starts_with(text_argument(0).ok_or_else(unknown)?)
                .into()),
            "endswith" => Ok(text.ends_with(text_argument(0).ok_or_else(unknown)?).into()),
            "isdigit" | "isnumeric" => {
                Ok((!text.is_empty() && text.chars().all(char::is_numeric)).into())
            }
            "join" => {
                let items = args.first().ok_or_else(unknown)?.try_iter()?;
                let texts: Vec<String> = items.map(|item| item.to_string()).collect();
                Ok(texts.join(text).into())
            }
            "format" => format(text, args).map(Value::from),
            _ => Err(unknown()),
        };
    }
    match (value.kind(), method) {
        (ValueKind::Map, "get") => {
            let key = args.first().ok_or_else(unknown)?;
            let found = value.get_item(key)?;
            let otherwise = || args.get(1).cloned().unwrap_or_else(|| Value::from(()));
            Ok(if found.is_undefined() {
                otherwise()
            } else {
                found
            })
        }
        (ValueKind::Map, "weekday") => value.get_attr("weekday_number"),
        (ValueKind::Map, "isoweekday") => {
            let day = i64::try_from(value.get_attr("weekday_number")?).map_err(|_| unknown())?;
            Ok((day + 1).into())
        }
        (ValueKind::Map, "keys") => Ok(value.try_iter()?.collect()),
        (ValueKind::Map, "values" | "items") => {
            let mut out = Vec::new();
            for key in value.try_iter()? {
                let item = value.get_item(&key)?;
                out.push(if method == "items" {
                    Value::from(vec![key, item])
                } else {
                    item
                });
            }
            Ok(out.into())
        }
        (ValueKind::Number, "is_integer") => {
            let number = f64::try_from(value.clone()).map_err(|_| unknown())?;
            Ok((number.fract() == 0.0).into())
        }
        // A key of an undefined map is undefined, so that "no such device" is said and not an error.
        (ValueKind::Undefined | ValueKind::None, "get") => {
            Ok(args.get(1).cloned().unwrap_or_else(|| Value::from(())))
        }
        _ => Err(unknown()),
    }
}

/// Jinja's `float`: what is no number becomes the default, which is 0.
#[allow(clippy::needless_pass_by_value, reason = "filters take values")]
pub(super) fn float(value: Value, default: Option<Value>) -> Value {
    let number = match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => f64::try_from(value.clone()).ok(),
    };
    number
        .map(Value::from)
        .or(default)
        .unwrap_or_else(|| Value::from(0.0))
}

/// Jinja's `int`: a fraction is cut off, what is no number becomes the default, which is 0.
#[allow(clippy::needless_pass_by_value, reason = "filters take values")]
pub(super) fn int(value: Value, default: Option<Value>) -> Value {
    let number: Option<f64> = match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None if value.kind() == ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        None => f64::try_from(value.clone()).ok(),
    };
    let whole = number
        .filter(|number| number.abs() < 9e15)
        .map(|number| number as i64);
    whole
        .map(Value::from)
        .or(default)
        .unwrap_or_else(|| Value::from(0))
}

fn strips(c: char, marks: Option<&str>) -> bool {
    marks.map_or_else(|| c.is_whitespace(), |marks| marks.contains(c))
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    first + &chars.as_str().to_lowercase()
}

fn titled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

/// `"{0:02d}".format(7)`: fields by number or in order, with a width, zeros, a precision.
fn format(text: &str, args: &[Value]) -> Result<String, Error> {
    let broken = |what: &str| {
        Error::new(
            ErrorKind::InvalidOperation,
            format!("format: {what} in \"{text}\""),
        )
    };
    let mut out = String::new();
    let mut next = 0;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        if let Some(after) = tail.strip_prefix("{{").or_else(|| tail.strip_prefix("}}")) {
            out.push_str(tail.get(..1).unwrap_or_default());
            rest = after;
            continue;
        }
        let Some((field, after)) = tail.strip_prefix('{').and_then(|tail| tail.split_once('}'))
        else {
            return Err(broken("a bracket is not closed"));
        };
        rest = after;
        let (name, how) = field.split_once(':').unwrap_or((field, ""));
        let value = if name.is_empty() {
            next += 1;
            args.get(next - 1)
        } else {
            name.parse::<usize>().ok().and_then(|at| args.get(at))
        };
        let value = value.ok_or_else(|| broken("a field has no value"))?;
        out.push_str(&formatted(value, how).ok_or_else(|| broken("a field cannot be written so"))?);
        if out.len() > TEXT_BYTES_MAX {
            return Err(broken("too much text"));
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn formatted(value: &Value, how: &str) -> Option<String> {
    let (how, kind) = match how.strip_suffix(['d', 'f', 's']) {
        Some(head) => (head, how.chars().last()),
        None => (how, None),
    };
    let (width, precision) = how.split_once('.').unwrap_or((how, ""));
    let zeros = width.starts_with('0');
    let width: usize = if width.is_empty() {
        0
    } else {
        width.parse().ok()?
    };
    let text = match kind {
        Some('d') => i64::try_from(value.clone()).ok()?.to_string(),
        Some('f') => {
            let precision = if precision.is_empty() {
                6
            } else {
                precision.parse().ok()?
            };
            format!(
                "{:.*}",
                usize::min(precision, 20),
                f64::try_from(value.clone()).ok()?
            )
        }
        _ => value.to_string(),
    };
    let fill = if zeros { '0' } else { ' ' };
    let missing = width.min(100).saturating_sub(text.chars().count());
    let number = value.kind() == ValueKind::Number;
    let padding: String = std::iter::repeat_n(fill, missing).collect();
    Some(match (number, text.strip_prefix('-')) {
        (true, Some(digits)) if zeros => format!("-{padding}{digits}"),
        (true, _) => padding + &text,
        (false, _) => text + &padding,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_as_python_does() {
        let written = |text: &str, value: Value| format(text, &[value]).unwrap();
        assert_eq!(written("{0:02d}", 7.into()), "07");
        assert_eq!(written("{:02d}:{{}}", 12.into()), "12:{}");
        assert_eq!(written("{:.1f}", 2.25.into()), "2.2");
        assert_eq!(written("{:4}|", "ab".into()), "ab  |");
        assert_eq!(written("{:03d}", (-7).into()), "-07");
        assert!(format("{", &[]).is_err());
        assert!(format("{}", &[]).is_err());
    }
}
