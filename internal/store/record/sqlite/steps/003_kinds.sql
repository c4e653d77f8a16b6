-- Findings are told apart by what they are. Of the old ones, those whose type
-- said so keep their place until a judge writes them anew; others are derived
-- again and go.
ALTER TABLE record ADD COLUMN severity TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN words TEXT NOT NULL DEFAULT '';
UPDATE record SET kind = type, type = '' WHERE kind = 'finding' AND type IN ('api', 'defect', 'attack');
DELETE FROM record WHERE kind = 'finding';
