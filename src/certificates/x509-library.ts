// The library resolves its parts by reflection and refuses to load without this, so it has to come first.
import 'reflect-metadata';

export * from '@peculiar/x509';
