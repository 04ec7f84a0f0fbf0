-- fact: notification_rules
-- A trace of external notifications: status filter rules of the name that the documented set-up gives them, counted.
-- Where the notifications go is encrypted in the database and never asked for.

-- candidate: vSMS_SC_Component_PropertyLists AS l
SELECT
    1 AS fact_notification_rules,
    COUNT(DISTINCT l.Name) AS amount
FROM dbo.vSMS_SC_Component_PropertyLists AS l
WHERE l.Name LIKE N'%External Service Notifications%';
