import type { Ports } from '../kernel/ports.ts';
import type { Exchange } from '../market/exchange.ts';
import { createExecutor } from '../faults/policy/executor.ts';
import type { Settings } from './settings.ts';
