//! Expressions of T-SQL in SQLite's words. Children come before their parents, so what stands inside is translated.

use sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, ObjectNamePart, Value as Literal, visit_expressions_mut,
};
use std::ops::ControlFlow;

use super::super::wire::value::Value;
use super::SqlError;
use super::catalog::{Name, ObjectKind, flat, key};
use super::translate::{Scope, number, wrong_arguments};

/// Translates one expression in place.
pub fn translate(expr: &mut Expr, scope: Scope<'_>) -> Result<(), SqlError> {
    let new = match expr {
        Expr::Value(value) => match &value.value {
            Literal::NationalStringLiteral(text) | Literal::SingleQuotedString(text) => string(text),
            _ => return Ok(()),
        },
        Expr::Identifier(name) if name.value.starts_with('@') => match variable(&name.value, scope)? {
            Some(value) => value,
            None => return Ok(()),
        },
        // `dbo.v_Site.SiteCode`: the table is known by its last name.
        Expr::CompoundIdentifier(parts) if parts.len() > 2 => {
            Expr::CompoundIdentifier(parts[parts.len() - 2..].to_vec())
        }
        Expr::Cast { kind, expr, data_type, .. } => cast(expr, data_type, *kind != CastKind::Cast),
        Expr::Convert { is_try, expr, data_type: Some(data_type), .. } => cast(expr, data_type, *is_try),
        Expr::Substring { expr, substring_from: Some(from), substring_for: Some(length), .. } => {
            call("tsql_substring", vec![*expr.clone(), *from.clone(), *length.clone()])
        }
        Expr::Collate { expr, collation } => {
            let name = collation.to_string().to_uppercase();
            let exact = name.contains("_CS_") || name.contains("_BIN");
            collate(expr, if exact { "BINARY" } else { "NOCASE" })
        }
        Expr::BinaryOp { left, op, right } => return binary(left, op, right).map(|new| replace(expr, new)),
        Expr::InList { expr, .. } | Expr::InSubquery { expr, .. } | Expr::Between { expr, .. } => {
            **expr = without_case(expr);
            return Ok(());
        }
        Expr::Case { operand: Some(operand), .. } => {
            **operand = without_case(operand);
            return Ok(());
        }
        Expr::Function(function) => match self::function(function, scope)? {
            Some(new) => new,
            None => return Ok(()),
        },
        Expr::ILike { .. } | Expr::RLike { .. } | Expr::SimilarTo { .. } | Expr::IsTrue(_) | Expr::IsFalse(_) => {
            return Err(SqlError::syntax(&expr.to_string()));
        }
        Expr::AtTimeZone { .. } | Expr::Extract { .. } | Expr::JsonAccess { .. } => {
            return Err(SqlError::not_in_lab(expr));
        }
        _ => return Ok(()),
    };
    *expr = new;
    Ok(())
}

fn replace(expr: &mut Expr, new: Option<Expr>) {
    if let Some(new) = new {
        *expr = new;
    }
}

/// `@name` or `@@NAME`.
fn variable(name: &str, scope: Scope<'_>) -> Result<Option<Expr>, SqlError> {
    let value = match name.to_ascii_uppercase().as_str() {
        "@@VERSION" => Value::Text("Microsoft SQL Server 2022 (RTM) - 16.0.1000.6 (X64) (a pretend server)".into()),
        "@@SERVERNAME" => Value::Text("CM-CAS-SQL".into()),
        "@@SPID" => Value::Integer(52),
        "@@TRANCOUNT" | "@@ERROR" => Value::Integer(0),
        "@@LOCK_TIMEOUT" => Value::Integer(5000),
        "@@LANGUAGE" => Value::Text("us_english".into()),
        _ if scope.keep_variables => return Ok(None),
        other => {
            let value = scope.variables.get(&other.to_lowercase());
            value
                .cloned()
                .ok_or_else(|| SqlError::new(137, 15, format!("Must declare the scalar variable \"{name}\".")))?
        }
    };
    Ok(Some(literal(&value)))
}

fn binary(left: &mut Box<Expr>, op: &BinaryOperator, right: &Expr) -> Result<Option<Expr>, SqlError> {
    use BinaryOperator as Op;
    match op {
        Op::Plus => Ok(Some(call("tsql_add", vec![*left.clone(), right.clone()]))),
        Op::Divide => Ok(Some(call("tsql_divide", vec![*left.clone(), right.clone()]))),
        Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => {
            **left = without_case(left);
            Ok(None)
        }
        Op::Minus | Op::Multiply | Op::Modulo | Op::And | Op::Or | Op::BitwiseAnd | Op::BitwiseOr | Op::BitwiseXor => {
            Ok(None)
        }
        other => Err(SqlError::syntax(&other.to_string())),
    }
}

/// The functions that keep their meaning under a name of SQLite's.
const RENAMED: &[(&str, &str)] = &[
    ("ABS", "abs"),
    ("AVG", "avg"),
    ("CHARINDEX", "tsql_charindex"),
    ("COALESCE", "coalesce"),
    ("COL_LENGTH", "tsql_col_length"),
    ("CONCAT", "concat"),
    ("CONCAT_WS", "concat_ws"),
    ("COUNT", "count"),
    ("COUNT_BIG", "count"),
    ("DATALENGTH", "tsql_datalength"),
    ("DENSE_RANK", "dense_rank"),
    ("GETDATE", "tsql_now"),
    ("GETUTCDATE", "tsql_now"),
    ("HAS_DBACCESS", "tsql_has_dbaccess"),
    ("HAS_PERMS_BY_NAME", "tsql_has_perms_by_name"),
    ("IIF", "iif"),
    ("ISNULL", "ifnull"),
    ("LEFT", "tsql_left"),
    ("LEN", "tsql_len"),
    ("LOWER", "lower"),
    ("LTRIM", "ltrim"),
    ("MAX", "max"),
    ("MIN", "min"),
    ("NULLIF", "nullif"),
    ("OBJECT_ID", "tsql_object_id"),
    ("OBJECT_NAME", "tsql_object_name"),
    ("QUOTENAME", "tsql_quotename"),
    ("RANK", "rank"),
    ("REPLACE", "replace"),
    ("REVERSE", "tsql_reverse"),
    ("RIGHT", "tsql_right"),
    ("ROUND", "round"),
    ("ROW_NUMBER", "row_number"),
    ("RTRIM", "rtrim"),
    ("SCHEMA_ID", "tsql_schema_id"),
    ("SCHEMA_NAME", "tsql_schema_name"),
    ("SERVERPROPERTY", "tsql_serverproperty"),
    ("STRING_AGG", "string_agg"),
    ("SUM", "sum"),
    ("SYSDATETIME", "tsql_now"),
    ("SYSUTCDATETIME", "tsql_now"),
    ("UPPER", "upper"),
];

fn function(function: &mut Function, scope: Scope<'_>) -> Result<Option<Expr>, SqlError> {
    let name = Name::of(&function.name)?;
    let arguments = arguments(function);
    if name.schema.is_some() {
        return user_function(&name, &arguments, scope).map(Some);
    }
    let upper = name.object.to_ascii_uppercase();
    if let Some((_, renamed)) = RENAMED.iter().find(|(tsql, _)| *tsql == upper) {
        let least =
            usize::from(matches!(upper.as_str(), "MAX" | "MIN" | "SUM" | "COUNT" | "COUNT_BIG" | "ISNULL" | "LEN"));
        let most = match upper.as_str() {
            "MAX" | "MIN" | "SUM" | "AVG" | "COUNT" | "COUNT_BIG" | "LEN" => 1,
            "ISNULL" | "NULLIF" => 2,
            _ => usize::MAX,
        };
        let given = match &function.args {
            FunctionArguments::List(list) => list.args.len(),
            _ => 0,
        };
        if given < least || given > most {
            return Err(SqlError::new(174, 15, format!("The {upper} function requires {most} argument(s).")));
        }
        function.name = flat(renamed);
        return Ok(None);
    }
    let session = scope.session;
    let text = |s: &str| Value::Text(s.to_owned());
    let caught = |of: fn(&SqlError) -> Value| scope.caught.map_or(Value::Null, of);
    let constant = match upper.as_str() {
        "DB_NAME" => text(&session.database),
        "DB_ID" => Value::Integer(5),
        "SUSER_SNAME" | "SUSER_NAME" | "ORIGINAL_LOGIN" | "USER_NAME" | "SYSTEM_USER" | "CURRENT_USER"
        | "SESSION_USER" => text(&session.user),
        "APP_NAME" => text(&session.application),
        "HOST_NAME" => text(&session.host),
        "IS_SRVROLEMEMBER" | "IS_MEMBER" | "IS_ROLEMEMBER" | "XACT_STATE" => Value::Integer(0),
        "ERROR_NUMBER" => caught(|e| Value::Integer(i64::from(e.number))),
        "ERROR_MESSAGE" => caught(|e| Value::Text(e.message.clone())),
        "ERROR_SEVERITY" => caught(|e| Value::Integer(i64::from(e.class))),
        "ERROR_STATE" | "ERROR_LINE" => caught(|_| Value::Integer(1)),
        // Users are the logins themselves, and roles are known by their grants: a script makes them anew each time.
        "ERROR_PROCEDURE" | "DATABASE_PRINCIPAL_ID" => Value::Null,
        "CURRENT_TIMESTAMP" => return Ok(Some(call("tsql_now", Vec::new()))),
        _ => return Err(SqlError::unknown_function(&name.object)),
    };
    Ok(Some(literal(&constant)))
}

/// A scalar function of the database is its body, with the arguments in it.
fn user_function(name: &Name, arguments: &[Expr], scope: Scope<'_>) -> Result<Expr, SqlError> {
    let object = scope.catalog.get(&key(name.schema.as_deref().unwrap_or("dbo"), &name.object));
    let Some(ObjectKind::ScalarFunction { parameters, body, .. }) = object.map(|o| &o.kind) else {
        let text = format!(
            "Cannot find either column \"{}\" or the user-defined function or aggregate \"{name}\", or the name is ambiguous.",
            name.schema.as_deref().unwrap_or_default()
        );
        return Err(SqlError::new(4121, 16, text));
    };
    if parameters.len() != arguments.len() {
        return Err(wrong_arguments(arguments.len() > parameters.len(), &name.to_string()));
    }
    let mut body = Expr::Nested(body.clone());
    substitute(&mut body, &|name| parameters.iter().position(|p| p == name).map(|i| arguments[i].clone()));
    Ok(body)
}

/// Puts expressions in the place of `@names` (given in lower case).
pub fn substitute(expr: &mut Expr, with: &dyn Fn(&str) -> Option<Expr>) {
    let _: ControlFlow<()> = visit_expressions_mut(expr, |e| {
        if let Expr::Identifier(name) = e
            && let Some(new) = with(&name.value.to_lowercase())
        {
            *e = Expr::Nested(Box::new(new));
        }
        ControlFlow::Continue(())
    });
}

/// The plain arguments of a call.
pub fn arguments(function: &Function) -> Vec<Expr> {
    let FunctionArguments::List(list) = &function.args else { return Vec::new() };
    let plain = |a: &FunctionArg| match a {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Some(e.clone()),
        _ => None,
    };
    list.args.iter().filter_map(plain).collect()
}

fn cast(expr: &Expr, data_type: &DataType, or_null: bool) -> Expr {
    let name = if or_null { "tsql_try_cast" } else { "tsql_cast" };
    call(name, vec![expr.clone(), string(&data_type.to_string())])
}

/// Text compares without case, as in a database of the usual collation. Columns do so by themselves; other texts do not.
pub fn without_case(expr: &Expr) -> Expr {
    match expr {
        Expr::Collate { .. } => expr.clone(),
        Expr::Value(v) if matches!(v.value, Literal::Number(..)) => expr.clone(),
        _ => collate(expr, "NOCASE"),
    }
}

fn collate(expr: &Expr, collation: &str) -> Expr {
    let collation = ObjectName(vec![ObjectNamePart::Identifier(Ident::new(collation))]);
    Expr::Collate { expr: Box::new(Expr::Nested(Box::new(expr.clone()))), collation }
}

fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let args = arguments.into_iter().map(|e| FunctionArg::Unnamed(FunctionArgExpr::Expr(e))).collect();
    Expr::Function(Function {
        name: flat(name),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn literal(value: &Value) -> Expr {
    match value {
        Value::Null => Expr::value(Literal::Null),
        Value::Integer(n) => number(&n.to_string()),
        Value::Real(n) => number(&n.to_string()),
        Value::Text(text) => string(text),
        Value::Blob(bytes) => hexadecimal(bytes),
    }
}

/// A text literal. With quotes in it, it goes as bytes: the printer of the syntax tree takes two quotes for one.
fn string(text: &str) -> Expr {
    if text.contains('\'') {
        let data_type = DataType::Text;
        Expr::Cast { kind: CastKind::Cast, expr: Box::new(hexadecimal(text.as_bytes())), data_type, format: None }
    } else {
        Expr::value(Literal::SingleQuotedString(text.to_owned()))
    }
}

fn hexadecimal(bytes: &[u8]) -> Expr {
    use std::fmt::Write as _;
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    Expr::value(Literal::HexStringLiteral(digits))
}
