//! Runs a batch: statements in order, TRY and CATCH, `sp_executesql`, and the faults that a test asked for.

use std::collections::HashMap;

use sqlparser::ast::{BinaryOperator, DeclareAssignment, Expr, Query, Set, SetSessionParamKind, Statement, Use};

use super::super::faults::{Faults, Hit};
use super::super::wire::value::Value;
use super::SqlError;
use super::batch::{self, Step};
use super::catalog::Name;
use super::engine::{Engine, ResultSet};
use super::session::Session;
use super::translate::Scope;

/// What a client gets to see, in order.
#[derive(Debug)]
pub enum Event {
    /// A result set; `broken` by an error if it has fewer rows than it should.
    Rows {
        set: ResultSet,
        in_procedure: bool,
        broken: bool,
    },
    /// A statement without rows is done.
    Done {
        in_procedure: bool,
    },
    ProcedureEnd,
    Info(String),
    Error(SqlError),
    /// The connection breaks here.
    Cut,
}

/// Variables of a batch, by lower-case name with `@`.
pub type Variables = HashMap<String, Value>;

/// Runs `sql` and tells what happened.
pub fn run(engine: &Engine, session: &Session, faults: &Faults, sql: &str, variables: Variables) -> Vec<Event> {
    let mut run = Run { engine, session, faults, events: Vec::new(), depth: 0 };
    match run.batch(sql, variables) {
        Ok(()) => {}
        Err(Stop::Cut) => run.events.push(Event::Cut),
        Err(Stop::Error { error, .. }) => run.events.push(Event::Error(error)),
    }
    run.events
}

struct Run<'a> {
    engine: &'a Engine,
    session: &'a Session,
    faults: &'a Faults,
    events: Vec<Event>,
    /// How many calls of `sp_executesql` we are in.
    depth: usize,
}

/// Why a batch ended early.
enum Stop {
    /// `catchable` by a TRY at the same level: SQL Server does not catch there what is wrong with the names of a
    /// statement, only what goes wrong below or while it runs.
    Error {
        error: SqlError,
        catchable: bool,
    },
    Cut,
}

impl From<SqlError> for Stop {
    fn from(error: SqlError) -> Self {
        Self::Error { catchable: error.number != 208, error }
    }
}

const DEEPEST: usize = 32;

impl Run<'_> {
    fn batch(&mut self, sql: &str, mut variables: Variables) -> Result<(), Stop> {
        let steps = batch::parse(sql)?;
        let mut declared = variables.clone();
        self.compile(&steps, &mut declared)?;
        self.steps(&steps, &mut variables, None)
    }

    /// A wrong column fails the whole batch before its first statement runs; a missing object does so only when its
    /// statement is reached ("deferred name resolution").
    fn compile(&self, steps: &[Step], declared: &mut Variables) -> Result<(), SqlError> {
        for step in steps {
            match step {
                Step::Try { body, catch } => {
                    self.compile(body, declared)?;
                    self.compile(catch, declared)?;
                }
                Step::If { then, otherwise, .. } => {
                    self.compile(then, declared)?;
                    self.compile(otherwise, declared)?;
                }
                Step::Grant(_) | Step::CreateUser => {}
                Step::Statement(statement) => match statement.as_ref() {
                    Statement::Declare { stmts } => {
                        let names = stmts.iter().flat_map(|d| &d.names);
                        declared.extend(names.map(|n| (n.value.to_lowercase(), Value::Null)));
                    }
                    Statement::Query(query) => match self.engine.compile(query, self.scope(declared, None)) {
                        Err(error) if error.number != 208 => return Err(error),
                        _ => {}
                    },
                    _ => {}
                },
            }
        }
        Ok(())
    }

    fn steps(&mut self, steps: &[Step], variables: &mut Variables, caught: Option<&SqlError>) -> Result<(), Stop> {
        for step in steps {
            match step {
                Step::Statement(statement) => self.statement(statement, variables, caught)?,
                Step::If { condition, then, otherwise } => {
                    let holds = self.engine.scalar(condition, self.scope(variables, caught))? == Value::Integer(1);
                    self.steps(if holds { then } else { otherwise }, variables, caught)?;
                }
                Step::Grant(_) | Step::CreateUser => {
                    let why = "Cannot find the object, because it does not exist or you do not have permission.";
                    return Err(SqlError::new(15_151, 16, why).into());
                }
                Step::Try { body, catch } => match self.steps(body, variables, caught) {
                    Err(Stop::Error { error, catchable: true }) => self.steps(catch, variables, Some(&error))?,
                    other => other?,
                },
            }
        }
        Ok(())
    }

    fn statement(
        &mut self,
        statement: &Statement,
        variables: &mut Variables,
        caught: Option<&SqlError>,
    ) -> Result<(), Stop> {
        match statement {
            Statement::Query(query) => self.query(query, variables, caught),
            Statement::Set(Set::SetSessionParam(SetSessionParamKind::Generic(_)) | Set::SetTransaction { .. })
            | Statement::Use(_)
            | Statement::StartTransaction { .. }
            | Statement::Commit { .. }
            | Statement::Rollback { .. } => {
                self.check_session_statement(statement)?;
                self.events.push(Event::Done { in_procedure: self.depth > 0 });
                Ok(())
            }
            Statement::Execute { name: Some(name), parameters, .. } => {
                self.execute(&Name::of(name)?, parameters, variables, caught)
            }
            Statement::Declare { stmts } => {
                for declare in stmts {
                    let value = match &declare.assignment {
                        Some(DeclareAssignment::MsSqlAssignment(e)) => {
                            self.engine.scalar(e, self.scope(variables, caught))?
                        }
                        _ => Value::Null,
                    };
                    variables.extend(declare.names.iter().map(|n| (n.value.to_lowercase(), value.clone())));
                }
                Ok(())
            }
            Statement::Print(print) => {
                let text = match self.engine.scalar(&print.message, self.scope(variables, caught))? {
                    Value::Text(text) => text,
                    Value::Integer(n) => n.to_string(),
                    _ => String::new(),
                };
                self.events.push(Event::Info(text));
                Ok(())
            }
            Statement::Insert(insert) => Err(self.denied("INSERT", &insert.table.to_string()).into()),
            Statement::Update(update) => Err(self.denied("UPDATE", &update.table.to_string()).into()),
            Statement::Delete(delete) => Err(self.denied("DELETE", &delete.to_string()).into()),
            Statement::CreateTable(_)
            | Statement::CreateView(_)
            | Statement::Drop { .. }
            | Statement::CreateFunction(_) => {
                let text = format!("CREATE TABLE permission denied in database '{}'.", self.session.database);
                Err(SqlError::new(262, 14, text).into())
            }
            other => Err(SqlError::not_in_lab(other).into()),
        }
    }

    fn query(&mut self, query: &Query, variables: &Variables, caught: Option<&SqlError>) -> Result<(), Stop> {
        let in_procedure = self.depth > 0;
        let hit = self.faults.of_statement(&query.to_string());
        if let Some(Hit::Error(error)) = hit {
            return Err(error.into());
        }
        let (mut set, error) = self.engine.query(query, self.scope(variables, caught))?;
        let stop = match hit {
            Some(Hit::Cut { after_rows }) => {
                set.rows.truncate(after_rows);
                Some(Stop::Cut)
            }
            Some(Hit::BreakOff { after_rows, error }) => {
                set.rows.truncate(after_rows);
                Some(error.into())
            }
            _ => error.map(Stop::from),
        };
        self.events.push(Event::Rows { set, in_procedure, broken: stop.is_some() });
        stop.map_or(Ok(()), Err)
    }

    /// `sp_executesql text, declarations, values`: a batch one level down.
    fn execute(
        &mut self,
        name: &Name,
        parameters: &[Expr],
        variables: &Variables,
        caught: Option<&SqlError>,
    ) -> Result<(), Stop> {
        if !name.object.eq_ignore_ascii_case("sp_executesql") {
            return Err(SqlError::new(2812, 16, format!("Could not find stored procedure '{name}'.")).into());
        }
        let (mut values, mut inner) = (Vec::new(), Variables::new());
        for parameter in parameters {
            match parameter {
                Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                    let value = self.engine.scalar(right, self.scope(variables, caught))?;
                    inner.insert(left.to_string().to_lowercase(), value);
                }
                positional => values.push(self.engine.scalar(positional, self.scope(variables, caught))?),
            }
        }
        let Some(Value::Text(sql)) = values.first().cloned() else {
            let why = "Procedure expects parameter '@statement' of type 'ntext/nchar/nvarchar'.";
            return Err(SqlError::new(214, 16, why).into());
        };
        inner.extend(positional(values));
        if self.depth == DEEPEST {
            return Err(SqlError::new(217, 16, "Maximum stored procedure nesting level exceeded (limit 32).").into());
        }
        self.depth += 1;
        let result = self.batch(&sql, inner);
        self.depth -= 1;
        match result {
            Ok(()) => {
                self.events.push(Event::ProcedureEnd);
                Ok(())
            }
            Err(Stop::Error { error, .. }) => Err(Stop::Error { error, catchable: true }),
            Err(Stop::Cut) => Err(Stop::Cut),
        }
    }

    fn check_session_statement(&self, statement: &Statement) -> Result<(), SqlError> {
        match statement {
            Statement::Use(Use::Object(name)) => {
                let name = Name::of(name)?.object;
                let known = self.session.databases.iter().find(|d| d.0.eq_ignore_ascii_case(&name));
                match known {
                    _ if name.eq_ignore_ascii_case(&self.session.database) => Ok(()),
                    Some((_, true)) => Err(SqlError::not_in_lab("USE of another database")),
                    Some((_, false)) => {
                        let text = format!(
                            "The server principal \"{}\" is not able to access the database \"{name}\" under the current \
                             security context.",
                            self.session.user
                        );
                        Err(SqlError::new(916, 14, text))
                    }
                    None => {
                        let text =
                            format!("Database '{name}' does not exist. Make sure that the name is entered correctly.");
                        Err(SqlError::new(911, 16, text))
                    }
                }
            }
            Statement::Set(Set::SetSessionParam(SetSessionParamKind::Generic(set))) => {
                let name = set.names.join(" ").to_ascii_uppercase();
                let known =
                    ["NOCOUNT", "LOCK_TIMEOUT", "DEADLOCK_PRIORITY", "TEXTSIZE", "ROWCOUNT", "LANGUAGE", "DATEFORMAT"];
                let more = [
                    "DATEFIRST",
                    "XACT_ABORT",
                    "ARITHABORT",
                    "QUOTED_IDENTIFIER",
                    "IMPLICIT_TRANSACTIONS",
                    "NUMERIC_ROUNDABORT",
                ];
                let known = known.iter().chain(&more).any(|k| *k == name);
                if known || name.starts_with("ANSI_") || name.starts_with("CONCAT_") || name.starts_with("CURSOR_") {
                    Ok(())
                } else {
                    Err(SqlError::new(195, 15, format!("'{name}' is not a recognized SET option.")))
                }
            }
            _ => Ok(()),
        }
    }

    /// Nobody may write through the wire, so that a test sees if the product ever tried.
    fn denied(&self, permission: &str, target: &str) -> SqlError {
        SqlError::denied(permission, target, &self.session.database, "dbo")
    }

    fn scope<'s>(&'s self, variables: &'s Variables, caught: Option<&'s SqlError>) -> Scope<'s> {
        Scope { catalog: &self.engine.catalog, session: self.session, variables, caught, keep_variables: false }
    }
}

/// The values after text and declarations, under the names that the declarations (`N'@a int, @b nvarchar(9)'`) give.
pub fn positional(values: Vec<Value>) -> Variables {
    let names: Vec<String> = match values.get(1) {
        Some(Value::Text(declarations)) => {
            // A comma inside `decimal(9, 2)` makes a piece that does not start with `@`.
            let names = declarations.split(',').filter_map(|d| d.split_whitespace().next());
            names.filter(|n| n.starts_with('@')).map(str::to_lowercase).collect()
        }
        _ => Vec::new(),
    };
    names.into_iter().zip(values.into_iter().skip(2)).collect()
}
