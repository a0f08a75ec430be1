// A file system of a few megabytes that can be filled and emptied: needs the right to mount one.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { folder } from './processes.mjs';

export class SmallDisk {
    // problem: why there is none, '' if there is one.
    static make(name, megabytes) {
        const disk = new SmallDisk();
        disk.path = folder(`disk-${name}`);
        disk.filler = join(disk.path, 'filler');
        const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`,
                                            'shoal-e2e', disk.path], { encoding: 'utf8' });
        disk.problem = mounted.status === 0 ? ''
            : `a small file system cannot be mounted (${mounted.stderr?.trim() ?? 'no mount'})`;
        if (disk.problem === '')
            process.on('exit', () => disk.remove());
        return disk;
    }

    // Until there is no byte left.
    fill() {
        const file = openSync(this.filler, 'a');
        for (let size = 1 << 20; size >= 1;) {
            try {
                writeSync(file, Buffer.alloc(size));
            } catch (error) {
                if (error.code !== 'ENOSPC')
                    throw error;
                size >>= 1;
            }
        }
        closeSync(file);
    }

    empty() {
        unlinkSync(this.filler);
    }

    remove() {
        if (this.problem === '')
            spawnSync('umount', ['-l', this.path]);
        this.problem = 'it was removed';
    }
}
